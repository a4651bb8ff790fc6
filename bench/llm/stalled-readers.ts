// The browsers of bench/llm/stalled.ts, in a process of their own. Each opens a WebSocket and asks for an answer; then it either reads,
// or stops reading before the first byte of it, so that all that comes stays in the kernel's buffers and, once they are full, in the gateway.
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'

export interface StalledTask {
  readonly url: string
  readonly viewers: readonly string[]
  readonly target: string
  readonly maxTokens: number
  readonly reads: boolean
}

const document = `subscription ($input: CompletionInput!) { completionEvents(input: $input) {
  ... on CompletionTokensAdded { text } ... on CompletionFinished { finishReason } ... on CompletionFailed { code } } }`
/** Sockets that are being opened, and asks a second: more is measuring how long a line is. */
const AT_ONCE = 20
const ASKS_PER_SECOND = 150

function open(url: string, viewer: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws')
    socket.on('error', reject)
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${viewer}` } })),
    )
    socket.once('message', () => resolve(socket))
  })
}

function ask(socket: WebSocket, number: number, { target, maxTokens, reads }: StalledTask): Promise<void> {
  return new Promise((resolve) => {
    socket.on('message', (raw) => {
      const { type } = JSON.parse(String(raw))
      if (type === 'ping') socket.send('{"type":"pong"}')
      if (type === 'complete') resolve()
    })
    socket.on('close', () => resolve())
    const input = { prompt: `How are you, number ${number}?`, targets: [target], maxTokens }
    socket.send(
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query: document, variables: { input } } }),
      () => {
        if (!reads) socket.pause()
      },
    )
  })
}

process.on('message', async (task: StalledTask) => {
  const sockets: WebSocket[] = []
  for (let at = 0; at < task.viewers.length; at += AT_ONCE)
    sockets.push(...(await Promise.all(task.viewers.slice(at, at + AT_ONCE).map((viewer) => open(task.url, viewer)))))
  process.send!('open')
  const ended: Promise<void>[] = []
  for (const [index, socket] of sockets.entries()) {
    ended.push(ask(socket, index, task))
    await sleep(1_000 / ASKS_PER_SECOND)
  }
  process.send!('asked')
  if (task.reads) {
    await Promise.all(ended)
    for (const socket of sockets) socket.close()
  }
})
process.on('disconnect', () => process.exit())
