// The other side of thread.ts: holds its own sessions and explainers, and works on what it is sent.
import { parentPort } from 'node:worker_threads'
import { InferenceSession } from 'onnxruntime-node'
import { contributions, type Explainer, parseExplainer } from '../../trainer/explainer.ts'
import { runSession, sessionOptions } from './session.ts'

type Message = { readonly call: number; readonly id: string } & (
  | { readonly type: 'load'; readonly bytes: Uint8Array }
  | { readonly type: 'loadExplainer'; readonly bytes: Uint8Array }
  | { readonly type: 'score'; readonly rows: Float32Array; readonly n: number; readonly width: number }
  | { readonly type: 'explain'; readonly rows: Float32Array; readonly n: number }
  | { readonly type: 'unload' }
)

const port = parentPort!
const sessions = new Map<string, InferenceSession>()
const explainers = new Map<string, Explainer>()

async function answer(message: Message): Promise<{ scores?: Float32Array; shares?: Float64Array }> {
  const { id } = message
  if (message.type === 'load') {
    sessions.set(id, await InferenceSession.create(message.bytes, sessionOptions))
    return {}
  }
  if (message.type === 'loadExplainer') {
    explainers.set(id, parseExplainer(message.bytes))
    return {}
  }
  if (message.type === 'unload') {
    const session = sessions.get(id)
    sessions.delete(id)
    explainers.delete(id)
    await session?.release()
    return {}
  }
  if (message.type === 'explain') {
    const explainer = explainers.get(id)
    if (!explainer) throw new Error(`The explainer ${id} is not loaded.`)
    return { shares: contributions(explainer, message.rows, message.n).values }
  }
  const session = sessions.get(id)
  if (!session) throw new Error(`Version ${id} is not loaded.`)
  return { scores: await runSession(session, message.rows, message.n, message.width) }
}

port.on('message', (message: Message) => {
  answer(message).then(
    (done) => port.postMessage({ call: message.call, ...done }),
    (error) => port.postMessage({ call: message.call, error: error instanceof Error ? error.message : String(error) }),
  )
})
