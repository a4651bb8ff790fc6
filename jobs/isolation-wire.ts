import type { Job, JobError, Json } from './job.ts'

/** What the worker says to the process of an isolated job. */
export type ToIsolated =
  | {
      readonly type: 'run'
      readonly module: string
      readonly job: Job
      readonly attempt: number
      readonly input: unknown
    }
  /** The attempt is being ended; what is still running soon after is killed. */
  | { readonly type: 'abort'; readonly error: JobError }
  /** The answer to a call. */
  | { readonly type: 'answer'; readonly call: number; readonly value?: unknown; readonly error?: JobError }
  /** The step that was asked for has not been committed yet: do its work and say what came of it. */
  | { readonly type: 'work'; readonly call: number }

/** Methods of the context that are only told. */
export type Told = 'progress' | 'log'
/** Methods of the context that are answered. */
export type Asked = 'step' | 'artifact' | 'metric' | 'spend' | 'child' | 'join'

/** What the process of an isolated job says to the worker. */
export type FromIsolated =
  | { readonly type: 'tell'; readonly method: Told; readonly given: readonly unknown[] }
  | { readonly type: 'call'; readonly call: number; readonly method: Asked; readonly given: readonly unknown[] }
  | { readonly type: 'worked'; readonly call: number; readonly value?: Json; readonly error?: JobError }
  | { readonly type: 'ended'; readonly result: Json | undefined }
  | { readonly type: 'failed'; readonly error: JobError }

/** Given to the process with its start. */
export interface IsolationLimits {
  /** Resident memory of the whole process, buffers and native code included. */
  readonly memoryMb: number
  /** The worker that started it. Told rather than looked up: the worker may be gone before anybody looks. */
  readonly workerPid: number
}

/** How the guard ends its process when it needs too much memory; nobody else sends this signal. */
export const OVER_MEMORY = 'SIGUSR2'
