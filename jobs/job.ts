import { isInklingError, messageOf } from '../platform/errors.ts'
import type { JobOutcome, JobState } from './states.ts'

/** A value that JSON holds and gives back unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined }

export interface Progress {
  readonly done: number
  readonly total: number | null
  readonly unit: string | null
  readonly message: string | null
  /** When it will be done at the pace of this attempt; null until there is a pace. ISO 8601. */
  readonly etaAt: string | null
}

export interface JobError {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** One row of inkling."Job". */
export interface Job {
  readonly id: string
  readonly kind: string
  readonly tenant: string
  readonly viewerId: string
  readonly state: JobState
  readonly reason: string | null
  readonly input: Json
  readonly result: Json
  readonly error: JobError | null
  readonly progress: Progress | null
  readonly metrics: Readonly<Record<string, number>>
  readonly costUsd: number
  readonly tags: readonly string[]
  readonly priority: number
  readonly idempotencyKey: string | null
  readonly parentId: string | null
  readonly scheduleId: string | null
  readonly attempt: number
  readonly failures: number
  readonly maxAttempts: number
  readonly deliveryId: string | null
  readonly worker: string | null
  readonly incarnation: string | null
  readonly heartbeatAt: Date | null
  /** Earliest start of the next attempt. */
  readonly dueAt: Date | null
  /** Number of its newest event. */
  readonly lastSequence: number
  readonly createdAt: Date
  readonly startedAt: Date | null
  readonly endedAt: Date | null
}

export interface JobAttempt {
  readonly jobId: string
  readonly number: number
  readonly worker: string
  readonly startedAt: Date
  readonly endedAt: Date | null
  /** Null while it runs. */
  readonly outcome: JobOutcome | null
  readonly error: JobError | null
}

export interface JobArtifact {
  readonly jobId: string
  readonly name: string
  readonly mediaType: string
  readonly size: number
  readonly createdAt: Date
}

/**
 * A value as JSON that PostgreSQL keeps: it refuses NUL and half surrogate pairs, which become the replacement character.
 * Throws TypeError for what JSON cannot hold.
 */
export function toJsonText(value: unknown): string {
  // In the text rather than in the values, because keys hold them too. Only half pairs are written as escapes.
  return JSON.stringify(value ?? null).replace(/\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g, (sequence, code: string) =>
    code.length > 1 ? '\ufffd' : sequence,
  )
}

/** What is kept of anything thrown; the message of an unknown error stays, its stack does not. */
export function toJobError(error: unknown): JobError {
  if (isInklingError(error)) return { code: error.code, message: error.message, hint: error.hint }
  return {
    code: 'INTERNAL',
    message: messageOf(error).slice(0, 2000),
    hint: 'Look at the log of the worker that ran this attempt.',
  }
}
