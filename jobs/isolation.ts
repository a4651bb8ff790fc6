import { InklingError } from '../platform/errors.ts'
import { Suspension } from './context.ts'
import { forkIsolated } from './isolation-process.ts'
import type { FromIsolated, ToIsolated } from './isolation-wire.ts'
import { type JobError, type Json, toJobError } from './job.ts'
import { defineJob, type JobContext, type JobKind, type JobKindOptions } from './kind.ts'

/** What isolated work holds. As JobContext, without the database: what a step commits is its value. */
export interface IsolatedContext
  extends Pick<
    JobContext,
    'job' | 'attempt' | 'signal' | 'progress' | 'log' | 'artifact' | 'metric' | 'spend' | 'child' | 'join'
  > {
  step<T extends Json>(name: string, work: () => Promise<T> | T): Promise<T>
}

/** What the module of an isolated job exports as `run`. */
export type IsolatedRun<Input> = (context: IsolatedContext, input: Input) => Promise<Json | undefined> | Promise<void>

export interface IsolatedJobOptions<Input> extends Omit<JobKindOptions<Input>, 'run'> {
  /** The module that exports `run`: `new URL('./crunch.ts', import.meta.url)`. */
  readonly module: URL
  /** Resident memory of its process, of which Node itself takes about 60 MB. An attempt that needs more fails for good. */
  readonly memoryMb?: number
}

/** After the abort the work may close what it holds; then it is killed, whatever it is computing. */
const ABORT_MS = 30

/**
 * A kind whose work runs in a process of its own, at a lower priority: it may compute for hours without holding up heartbeats, events or
 * requests, and what it breaks is its own. Threads were not enough: their memory limit leaves out buffers and native code.
 */
export function defineIsolatedJob<Input>({
  module,
  memoryMb = 1024,
  ...options
}: IsolatedJobOptions<Input>): JobKind<Input> {
  if (memoryMb < 128)
    throw new InklingError('BAD_USER_INPUT', `${memoryMb} MB are too few for a process.`, 'Give memoryMb at least 128.')
  return defineJob({
    ...options,
    run: (context, input) => runIsolated(module, memoryMb, context, input),
  })
}

function runIsolated(module: URL, memoryMb: number, context: JobContext, input: unknown): Promise<Json | undefined> {
  context.signal.throwIfAborted()
  const { child, lastWords, goneError } = forkIsolated(new URL('./isolation-child.ts', import.meta.url), memoryMb)
  const works = new Map<number, { resolve: (value: Json) => void; reject: (error: Error) => void }>()
  let ending: (() => Json | undefined) | null = null
  const say = (message: ToIsolated) => {
    if (child.connected) child.send(message, () => {}) // it may have died since: its exit tells
  }

  async function answer({ call, method, given }: Extract<FromIsolated, { type: 'call' }>): Promise<void> {
    try {
      const act = context[method] as (...given: unknown[]) => Promise<unknown>
      say({ type: 'answer', call, value: await (method === 'step' ? step(call, String(given[0])) : act(...given)) })
    } catch (error) {
      if (error instanceof Suspension) {
        end(() => {
          throw error
        })
        child.kill('SIGKILL')
      } else say({ type: 'answer', call, error: toJobError(error) })
    }
  }
  function step(call: number, name: string): Promise<Json> {
    return context.step(
      name,
      () =>
        new Promise<Json>((resolve, reject) => {
          works.set(call, { resolve, reject })
          say({ type: 'work', call })
        }),
    )
  }
  /** The first end counts. */
  function end(how: () => Json | undefined): void {
    ending ??= how
  }

  child.on('message', (message: FromIsolated) => {
    if (message.type === 'tell') (context[message.method] as (...given: readonly unknown[]) => void)(...message.given)
    else if (message.type === 'call') void answer(message)
    else if (message.type === 'worked') {
      const { resolve, reject } = works.get(message.call)!
      if (message.error) reject(errorOf(message.error))
      else resolve(message.value ?? null)
    } else if (message.type === 'ended') end(() => message.result)
    else
      end(() => {
        throw errorOf(message.error)
      })
  })
  const abort = () => {
    say({ type: 'abort', error: toJobError(context.signal.reason) })
    setTimeout(() => child.kill('SIGKILL'), ABORT_MS)
  }
  context.signal.addEventListener('abort', abort, { once: true })
  say({ type: 'run', module: module.href, job: context.job, attempt: context.attempt, input })

  return new Promise((resolve, reject) => {
    child.once('error', reject) // it could not be started
    child.once('close', (code, signal) => {
      context.signal.removeEventListener('abort', abort)
      const gone = goneError(code, signal)
      for (const { reject } of works.values()) reject(gone) // a step that waits for its work
      if (lastWords()) context.log('error', lastWords())
      try {
        if (!ending) throw context.signal.aborted ? context.signal.reason : gone
        resolve(ending())
      } catch (error) {
        reject(error)
      }
    })
  })
}

/** The error that another process told of. */
export function errorOf({ code, message, hint }: JobError): Error {
  return code === 'INTERNAL' ? new Error(message) : new InklingError(code as InklingError['code'], message, hint)
}
