// The browsers of bench/llm/streams.ts, in a process of their own: one WebSocket each, asking for one completion. Tells what came
// whenever it is asked, and at the end how each stream went.
import { WebSocket } from 'ws'

/** What is to be read: one stream for each token of a viewer, begun within so many milliseconds. */
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

function read(url: string, viewer: string, maxTokens: number, number: number): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws')
    let [askedAt, firstAt, lastAt, events, pauseMs, position, text, isWhole] = [0, 0, 0, 0, 0, 0, '', true]
    const say = (message: object) => socket.send(JSON.stringify(message))
    socket.on('error', reject)
    socket.on('open', () => say({ type: 'connection_init', payload: { authorization: `Bearer ${viewer}` } }))
    const done = (end: string) => {
      socket.close()
      const tokens = text.split(' ').length - 1
      const isRight = text === Array.from({ length: tokens }, (_, index) => `t${index} `).join('')
      const seen = { firstMs: firstAt - askedAt, lastMs: lastAt - firstAt, tokens, events, pauseMs }
      resolve({ ...seen, isWhole: isWhole && isRight, end })
    }
    socket.on('message', (raw) => {
      const message = JSON.parse(String(raw))
      if (message.type === 'connection_ack') {
        askedAt = performance.now()
        const input = { prompt: `How are you, number ${number}?`, maxTokens }
        return say({ id: '1', type: 'subscribe', payload: { query: document, variables: { input } } })
      }
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
      if (firstAt === 0) firstAt = now
      else pauseMs = Math.max(pauseMs, now - lastAt)
      lastAt = now
      events++
      text += event.text
      for (const character of event.text) if (character === ' ') tokensSoFar++
    })
  })
}

process.on('message', async (message: ReaderTask | 'count') => {
  const { user, system } = process.cpuUsage()
  if (message === 'count') return process.send!({ count: { tokens: tokensSoFar, cpuMs: (user + system) / 1_000 } })
  const { url, viewers, maxTokens, withinMs } = message
  const streams = viewers.map(async (viewer, index) => {
    await new Promise((resolve) => setTimeout(resolve, (index / viewers.length) * withinMs))
    return read(url, viewer, maxTokens, index)
  })
  process.send!({ seen: await Promise.all(streams) })
})
process.on('disconnect', () => process.exit())
