// The process of one isolated job: imports its module, runs it, and asks the worker for everything that is durable.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { InklingError, isInklingError } from '../platform/errors.ts'
import type { IsolatedContext, IsolatedRun } from './isolation.ts'
import type { Asked, FromIsolated, ToIsolated } from './isolation-wire.ts'
import { type Job, type JobError, type Json, toJobError, toJsonText } from './job.ts'

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
  readonly work?: () => Promise<Json> | Json
}

const limits = JSON.parse(process.argv[2]!)
const guard = new Worker(new URL('./isolation-guard.ts', import.meta.url), { workerData: limits, execArgv: [] })
guard.unref()
const watching = once(guard, 'message')

const pending = new Map<number, Pending>()
const controller = new AbortController()
let calls = 0

function say(message: FromIsolated): Promise<void> {
  return new Promise((resolve) => process.send!(message, () => resolve()))
}

function ask(method: Asked, given: readonly unknown[], work?: Pending['work']): Promise<unknown> {
  controller.signal.throwIfAborted()
  const call = ++calls
  return new Promise((resolve, reject) => {
    pending.set(call, { resolve, reject, ...(work ? { work } : {}) })
    void say({ type: 'call', call, method, given })
  })
}

function errorOf({ code, message, hint }: JobError): InklingError {
  return new InklingError(code as InklingError['code'], message, hint)
}

/** The answer may be a value that JSON cannot hold: that fails the step, not the process. */
async function work(call: number): Promise<void> {
  try {
    const value = await pending.get(call)!.work!()
    await say({ type: 'worked', call, value: JSON.parse(toJsonText(value)) })
  } catch (error) {
    await say({ type: 'worked', call, error: keep(error) })
  }
}

/** The worker logs what failed; the stack would be lost on the way. */
function keep(error: unknown): JobError {
  if (!isInklingError(error)) console.error(error)
  return toJobError(error)
}

function contextOf(job: Job, attempt: number): IsolatedContext {
  return {
    job,
    attempt,
    signal: controller.signal,
    progress: (progress) => void say({ type: 'tell', method: 'progress', given: [progress] }),
    log: (level, message) => void say({ type: 'tell', method: 'log', given: [level, message] }),
    step: async (name, work) => (await ask('step', [name], work)) as Awaited<ReturnType<typeof work>>,
    artifact: async (...given) => void (await ask('artifact', given)),
    metric: async (...given) => void (await ask('metric', given)),
    spend: async (...given) => void (await ask('spend', given)),
    child: async (...given) => (await ask('child', given)) as Job,
    join: async (...given) => (await ask('join', given)) as Job[],
  }
}

async function run({ module, job, attempt, input }: Extract<ToIsolated, { type: 'run' }>): Promise<void> {
  try {
    await watching // once the work holds this thread it is too late
    const { run } = (await import(module)) as { run: IsolatedRun<unknown> }
    const result = await run(contextOf(job, attempt), input)
    await say({ type: 'ended', result: result === undefined ? undefined : JSON.parse(toJsonText(result)) })
  } catch (error) {
    await say({ type: 'failed', error: keep(error) })
  }
  process.disconnect()
}

process.on('message', (message: ToIsolated) => {
  if (message.type === 'run') void run(message)
  if (message.type === 'abort') controller.abort(errorOf(message.error))
  if (message.type === 'work') void work(message.call)
  if (message.type !== 'answer') return
  const { resolve, reject } = pending.get(message.call)!
  pending.delete(message.call)
  if (message.error) reject(errorOf(message.error))
  else resolve(message.value)
})
// Ended, or the worker is gone: what is still open here concerns nobody.
process.on('disconnect', () => process.exit())
