// The other side of thread.ts: holds its own sessions and scores what it is sent.
import { parentPort } from 'node:worker_threads'
import { InferenceSession } from 'onnxruntime-node'
import { runSession, sessionOptions } from './predictor.ts'

type Message = { readonly call: number; readonly id: string } & (
  | { readonly type: 'load'; readonly onnx: Uint8Array }
  | { readonly type: 'score'; readonly rows: Float32Array; readonly n: number; readonly width: number }
  | { readonly type: 'unload' }
)

const port = parentPort!
const sessions = new Map<string, InferenceSession>()

async function answer(message: Message): Promise<Float32Array | undefined> {
  const session = sessions.get(message.id)
  if (message.type === 'load') {
    if (!session) sessions.set(message.id, await InferenceSession.create(message.onnx, sessionOptions))
    return undefined
  }
  if (message.type === 'unload') {
    sessions.delete(message.id)
    await session?.release()
    return undefined
  }
  if (!session) throw new Error(`Version ${message.id} is not loaded.`)
  return runSession(session, message.rows, message.n, message.width)
}

port.on('message', (message: Message) => {
  answer(message).then(
    (scores) => port.postMessage({ call: message.call, scores }),
    (error) => port.postMessage({ call: message.call, error: error instanceof Error ? error.message : String(error) }),
  )
})
