// The browsers of bench/llm/streams.ts, in a process of their own: one WebSocket each, asking for one completion. Says when all sockets
// are open and when all have text, tells what came whenever it is asked, and at the end how each stream went.
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { openSocket } from './socket.ts'

/** Asked for, and without a first token yet. */
const MOST_WAITING = 50

/** What is to be read: one stream for each token of a viewer, asked for within so many milliseconds once all sockets are open. */
export interface ReaderTask {
  readonly url: string
  readonly viewers: readonly string[]
  readonly maxTokens: number
  readonly withinMs: number
}

/** One stream as its reader saw it. */
export interface Seen {
  /** From asking to the first text, and from that to the last. */
  readonly firstMs: number
  readonly lastMs: number
  readonly tokens: number
  readonly events: number
  /** Longest pause between two texts. */
  readonly pauseMs: number
  /** Whether each event followed the one before it, and the text is t0 t1 t2 ... */
  readonly isWhole: boolean
  readonly end: string
}

const document = `subscription ($input: CompletionInput!) { completionEvents(input: $input) {
  __typename
  ... on CompletionProgress { sequence }
  ... on CompletionTokensAdded { text }
  ... on CompletionFinished { finishReason }
  ... on CompletionFailed { code message } } }`

let tokensSoFar = 0
let eventsSoFar = 0

function read(socket: WebSocket, maxTokens: number, number: number, onFirst: () => void): Promise<Seen> {
  return new Promise((resolve) => {
    let [firstAt, lastAt, events, pauseMs, position, text, isWhole] = [0, 0, 0, 0, 0, '', true]
    const say = (message: object) => socket.send(JSON.stringify(message))
    const input = { prompt: `How are you, number ${number}?`, maxTokens }
    const askedAt = performance.now()
    say({ id: '1', type: 'subscribe', payload: { query: document, variables: { input } } })
    const done = (end: string) => {
      socket.close()
      const tokens = text.split(' ').length - 1
      const isRight = text === Array.from({ length: tokens }, (_, index) => `t${index} `).join('')
      const seen = { firstMs: firstAt - askedAt, lastMs: lastAt - firstAt, tokens, events, pauseMs }
      resolve({ ...seen, isWhole: isWhole && isRight, end })
    }
    socket.on('message', (raw) => {
      const message = JSON.parse(String(raw))
      if (message.type === 'ping') return say({ type: 'pong' })
      if (message.type === 'error') return done(JSON.stringify(message.payload))
      if (message.type === 'complete') return done('COMPLETE')
      const event = message.payload.data?.completionEvents
      if (!event) return done(JSON.stringify(message.payload))
      position += event.text === undefined ? 1 : event.text.length
      isWhole &&= event.sequence === position
      if (event.finishReason) return done(event.finishReason)
      if (event.code) return done(`${event.code}: ${event.message}`)
      if (event.text === undefined) return
      const now = performance.now()
      if (firstAt === 0) {
        firstAt = now
        onFirst()
      } else pauseMs = Math.max(pauseMs, now - lastAt)
      lastAt = now
      events++
      eventsSoFar++
      text += event.text
      for (const character of event.text) if (character === ' ') tokensSoFar++
    })
  })
}

process.on('message', async (message: ReaderTask | 'count') => {
  const { user, system } = process.cpuUsage()
  if (message === 'count') {
    return process.send!({ count: { tokens: tokensSoFar, events: eventsSoFar, cpuMs: (user + system) / 1_000 } })
  }
  const { url, viewers, maxTokens, withinMs } = message
  const sockets: WebSocket[] = []
  for (let at = 0; at < viewers.length; at += 20)
    sockets.push(...(await Promise.all(viewers.slice(at, at + 20).map((viewer) => openSocket(url, viewer)))))
  const streams: Promise<Seen>[] = []
  let begun = 0
  for (const [index, socket] of sockets.entries()) {
    await sleep(withinMs / sockets.length)
    // Who waits for so many first tokens is measuring how long a line is.
    while (index - begun >= MOST_WAITING) await sleep(1)
    streams.push(read(socket, maxTokens, index, () => begun++))
  }
  while (begun < sockets.length) await sleep(10)
  process.send!({ begun: true })
  process.send!({ seen: await Promise.all(streams) })
})
process.on('disconnect', () => process.exit())
