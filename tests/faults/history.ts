import type { JobEvent } from '../../jobs/event.ts'
import type { Job, JobAttempt, Json } from '../../jobs/job.ts'
import type { Database } from '../../platform/database.ts'

/** What a process said on its standard output, a line each. Only what was acknowledged is said. */
export type Said =
  | { readonly op: 'ready' }
  /** It makes no more requests, and every job is over. */
  | { readonly op: 'settled'; readonly by: string }
  | { readonly op: 'enqueue'; readonly id: string; readonly key: string | null }
  | { readonly op: 'cancel' | 'retry'; readonly id: string; readonly state: string }
  /** The connection failed or the request was refused with a code that is expected: nothing is promised. */
  | { readonly op: 'refused'; readonly code: string }
  /** An answer that nobody may ever get. */
  | { readonly op: 'wrong'; readonly message: string }

/** One row of public.effect, which each step's commit writes: a second one for the same step is a double commit. */
export interface Effect {
  readonly serial: number
  readonly job: string
  readonly step: string
  readonly attempt: number
}

export interface StepRow {
  readonly jobId: string
  readonly name: string
  readonly attempt: number
  readonly result: Json
}

/** What one live reader was given of one job, across all its reconnects. */
export interface Reading {
  readonly jobId: string
  readonly sequences: readonly number[]
}

/** Everything that is known of one run when it is over. */
export interface History {
  readonly said: readonly Said[]
  readonly jobs: readonly Job[]
  readonly attempts: readonly JobAttempt[]
  readonly events: readonly JobEvent[]
  readonly steps: readonly StepRow[]
  readonly effects: readonly Effect[]
  readonly readings: readonly Reading[]
}

export const EFFECT_TABLE =
  'CREATE TABLE IF NOT EXISTS public.effect (serial bigserial PRIMARY KEY, job uuid, step text, attempt int)'

/** The rows of a run that is over. */
export async function readHistory(
  database: Database,
  said: readonly Said[],
  readings: readonly Reading[],
): Promise<History> {
  const rowsOf = async <Row>(sql: string) => (await database.query<Row>(sql)).rows
  return {
    said,
    readings,
    jobs: await rowsOf<Job>('SELECT * FROM inkling."Job"'),
    attempts: await rowsOf<JobAttempt>('SELECT * FROM inkling."JobAttempt" ORDER BY "jobId", number'),
    events: await rowsOf<JobEvent>(
      'SELECT "jobId", sequence, at, type, data FROM inkling."JobEvent" ORDER BY "jobId", sequence',
    ),
    steps: await rowsOf<StepRow>('SELECT "jobId", name, attempt, result FROM inkling."JobStep"'),
    effects: await rowsOf<Effect>('SELECT serial::int, job, step, attempt FROM public.effect ORDER BY serial'),
  }
}

/** Whether every job is over. */
export async function isOver(database: Database): Promise<boolean> {
  const { rows } = await database.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM inkling."Job" WHERE state NOT IN ('SUCCEEDED', 'FAILED', 'CANCELLED')`,
  )
  return rows[0]!.open === 0
}
