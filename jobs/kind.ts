import { z } from 'zod'
import type { Queryable } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Scope } from '../platform/viewer.ts'
import type { Job, Json } from './job.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a running job holds: its checkpoints, its voice and its end. */
export interface JobContext {
  /** The row as it was claimed. */
  readonly job: Job
  /** 1 for the first attempt. Every write below is refused once a later attempt has begun. */
  readonly attempt: number
  /** Aborts on cancel, time-out, shutdown and when another worker took over. Its reason is an InklingError. */
  readonly signal: AbortSignal
  /** Replaces the progress shown; written at most four times a second. */
  progress(progress: {
    done: number
    total?: number | undefined
    unit?: string | undefined
    message?: string | undefined
  }): void
  log(level: LogLevel, message: string): void
  /**
   * Runs once, ever: the value is committed under its name and given back by later attempts. `commit` runs inside the transaction that
   * commits the step; what it writes with `database.query` happens exactly once. `work` may run again after a crash before the commit.
   * Throws BAD_USER_INPUT when a name is used twice in one attempt.
   */
  step<T extends Json>(
    name: string,
    work: () => Promise<T> | T,
    commit?: (value: T, client: Queryable) => Promise<void>,
  ): Promise<T>
  /** A transaction that is refused when this attempt is no longer the current one. */
  transaction<T>(work: (client: Queryable) => Promise<T>): Promise<T>
  /** Keeps bytes with the job; the same name replaces. At most 16 MB. */
  artifact(name: string, mediaType: string, bytes: Uint8Array): Promise<void>
  metric(name: string, value: number): Promise<void>
  /** Adds to the job's cost. Call it inside `step`'s commit to count it exactly once. */
  spend(usd: number): Promise<void>
  /** Enqueues a child once, whatever crashes: the same key gives the same child. */
  child(kind: string, input: Json, options: { key: string; priority?: number }): Promise<Job>
  /** The ended children. While some are not over, the attempt gives its place away and `run` starts again when they are. */
  join(children: readonly Job[]): Promise<Job[]>
}

export interface RetryPolicy {
  /** Attempts that may fail, crash or time out before the job is FAILED. */
  readonly attempts: number
  /** Wait before the second attempt; doubles each time, with jitter. */
  readonly delayMs: number
  readonly maxDelayMs: number
}

export interface JobKind<Input = unknown> {
  readonly name: string
  readonly input: z.ZodType<Input>
  /** What a viewer needs, beside the right to write jobs, to have one started: by a schedule, by a retry. */
  readonly scopes?: readonly Scope[]
  readonly retry: RetryPolicy
  /** Longest attempt; then it is TIMED_OUT and counts as failed. */
  readonly timeoutMs: number
  /** How many of this kind one process runs at a time. */
  readonly concurrency: number
  run(context: JobContext, input: Input): Promise<Json | undefined> | Promise<void>
  /** Called inside the transaction that ends the job, whoever ends it: keeps the rows of others in step with it. Must not throw. */
  ended?(job: Job, client: Queryable): Promise<void>
}

/** A kind whose input type is not of interest. */
// biome-ignore lint/suspicious/noExplicitAny: `run` takes its own input, so kinds are invariant in it
export type AnyJobKind = JobKind<any>

export interface JobKindOptions<Input> {
  readonly name: string
  readonly input: z.ZodType<Input>
  readonly scopes?: readonly Scope[]
  readonly retry?: Partial<RetryPolicy>
  readonly timeoutMs?: number
  readonly concurrency?: number
  run(context: JobContext, input: Input): Promise<Json | undefined> | Promise<void>
  ended?(job: Job, client: Queryable): Promise<void>
}

const DEFAULT_RETRY: RetryPolicy = { attempts: 3, delayMs: 1000, maxDelayMs: 60_000 }
const DEFAULT_TIMEOUT_MS = 3_600_000

/** Defines a kind of job: one file, and one line where `createJobs` lists it. Throws BAD_USER_INPUT for a bad name. */
export function defineJob<Input>(options: JobKindOptions<Input>): JobKind<Input> {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(options.name))
    throw new InklingError(
      'BAD_USER_INPUT',
      `"${options.name}" is no name for a kind of job.`,
      'Use small letters, digits and hyphens, beginning with a letter.',
    )
  return {
    ...options,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    concurrency: options.concurrency ?? Number.POSITIVE_INFINITY,
  }
}

/** The input as its kind reads it. Throws BAD_USER_INPUT that names every fault. */
export function parseInput<Input>(kind: JobKind<Input>, input: unknown): Input {
  const parsed = kind.input.safeParse(input)
  if (parsed.success) return parsed.data
  throw new InklingError(
    'BAD_USER_INPUT',
    `The input of a ${kind.name} job is refused: ${z.prettifyError(parsed.error)}`,
    'Correct the input and enqueue it again.',
  )
}
