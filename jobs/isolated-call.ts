import { errorOf } from './isolation.ts'
import { forkIsolated } from './isolation-process.ts'
import type { JobError } from './job.ts'

/** What the module of an isolated call is handed: words from its caller, a way to answer before the end, and the caller's wish to stop. */
export interface IsolatedPort {
  readonly words: AsyncIterable<unknown>
  tell(word: unknown): void
}

/** What the module exports as `run`. */
export type IsolatedFunction<Result> = (port: IsolatedPort) => Promise<Result>

export interface IsolatedCallOptions {
  readonly memoryMb: number
  /** Aborted, the process is killed, whatever it is computing. */
  readonly signal?: AbortSignal | undefined
  readonly hear?: (word: unknown) => void
}

/** What the two processes say to each other. */
export type ToCalled =
  | { readonly type: 'run'; readonly module: string }
  | { readonly type: 'word'; readonly word: unknown }
  | { readonly type: 'end' }
export type FromCalled =
  | { readonly type: 'told'; readonly word: unknown }
  | { readonly type: 'done'; readonly result: unknown }
  | { readonly type: 'failed'; readonly error: JobError }

/**
 * One computation in a process of its own: what it needs of memory, native code included, is its own, and more than memoryMb ends it
 * alone. Words are sent one at a time, so that neither side holds more than the other has taken. Rejects with what the work threw, with
 * the signal's reason, or with why the process is gone.
 */
export function callIsolated<Result>(
  module: URL,
  words: AsyncIterable<unknown> | Iterable<unknown>,
  { memoryMb, signal, hear }: IsolatedCallOptions,
): Promise<Result> {
  signal?.throwIfAborted()
  const { child, goneError } = forkIsolated(new URL('./isolated-call-child.ts', import.meta.url), memoryMb)
  const abort = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', abort, { once: true })

  const say = (message: ToCalled) =>
    new Promise<void>((resolve) => {
      if (child.connected) child.send(message, () => resolve())
      else resolve() // it is gone: its exit tells
    })
  async function send(): Promise<void> {
    await say({ type: 'run', module: module.href })
    for await (const word of words) {
      if (!child.connected) return
      await say({ type: 'word', word })
    }
    await say({ type: 'end' })
  }

  return new Promise<Result>((resolve, reject) => {
    let end: (() => void) | null = null
    child.on('message', (message: FromCalled) => {
      if (message.type === 'told') hear?.(message.word)
      else if (message.type === 'done') end ??= () => resolve(message.result as Result)
      else end ??= () => reject(errorOf(message.error))
    })
    child.once('error', reject) // it could not be started
    child.once('close', (code, cause) => {
      signal?.removeEventListener('abort', abort)
      if (end) end()
      else reject(signal?.aborted ? signal.reason : goneError(code, cause))
    })
    send().catch((error) => {
      end ??= () => reject(error)
      child.kill('SIGKILL')
    })
  })
}
