// The browsers of bench/llm/stalled.ts, in a process of their own. Each opens a WebSocket and asks for an answer; then it either reads,
// or stops reading as soon as it has begun, so that all that comes stays in the kernel's buffers and, once they are full, in the gateway.
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import { openSocket } from './socket.ts'

export interface StalledTask {
  readonly url: string
  readonly viewers: readonly string[]
  readonly target: string
  readonly maxTokens: number
  readonly reads: boolean
}

const document = `subscription ($input: CompletionInput!) { completionEvents(input: $input) {
  __typename ... on CompletionTokensAdded { text } ... on CompletionFinished { finishReason } ... on CompletionFailed { code } } }`
/** Sockets that are being opened, and answers that have not begun: more is measuring how long a line is. */
const AT_ONCE = 20

/** Resolves once the answer has begun. */
function ask(socket: WebSocket, number: number, { target, maxTokens, reads }: StalledTask): Promise<void> {
  return new Promise((resolve) => {
    socket.on('message', (raw) => {
      const { type } = JSON.parse(String(raw))
      if (type === 'ping') socket.send('{"type":"pong"}')
      if (type !== 'next') return
      if (!reads) socket.pause()
      resolve()
    })
    const input = { prompt: `How are you, number ${number}?`, targets: [target], maxTokens }
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: document, variables: { input } } }))
  })
}

process.on('message', async (task: StalledTask) => {
  const sockets: WebSocket[] = []
  for (let at = 0; at < task.viewers.length; at += AT_ONCE)
    sockets.push(
      ...(await Promise.all(task.viewers.slice(at, at + AT_ONCE).map((viewer) => openSocket(task.url, viewer)))),
    )
  let begun = 0
  for (const [index, socket] of sockets.entries()) {
    void ask(socket, index, task).then(() => begun++)
    while (index - begun >= AT_ONCE) await sleep(1)
  }
  while (begun < sockets.length) await sleep(1)
  process.send!('begun')
})
process.on('disconnect', () => process.exit())
