import type { Json } from './job.ts'

/**
 * What becomes of runs that are more than a minute late because no worker was there: left out, made good by one run, or made good by
 * one run each, one after the other.
 */
export const missedPolicies = ['SKIP', 'ONCE', 'ALL'] as const
export type MissedPolicy = (typeof missedPolicies)[number]

/** What becomes of a run whose predecessor is not over: left out, waits for it, or cancels it and takes its place. */
export const overlapPolicies = ['SKIP', 'QUEUE', 'CANCEL_PREVIOUS'] as const
export type OverlapPolicy = (typeof overlapPolicies)[number]

/** One row of inkling."JobSchedule": a job that is enqueued again and again. */
export interface Schedule {
  readonly id: string
  readonly tenant: string
  readonly viewerId: string
  /** Unique in its tenant. */
  readonly name: string
  readonly kind: string
  readonly input: Json
  /** Cron, five or six fields or @daily and the like, or an RFC 5545 recurrence rule. */
  readonly expression: string
  /** IANA name, such as Europe/Berlin. */
  readonly timeZone: string
  readonly missed: MissedPolicy
  readonly overlap: OverlapPolicy
  readonly isPaused: boolean
  /** Null: the rule has no further occurrence. */
  readonly nextAt: Date | null
  /** When it last started a job. */
  readonly lastAt: Date | null
  readonly lastJobId: string | null
  /** Why its last occurrence started no job. */
  readonly problem: string | null
  readonly createdAt: Date
}

export interface NewSchedule {
  readonly name: string
  readonly kind: string
  readonly input: unknown
  readonly expression: string
  /** Default: UTC. */
  readonly timeZone?: string | undefined
  /** Default: ONCE. */
  readonly missed?: MissedPolicy | undefined
  /** Default: SKIP. */
  readonly overlap?: OverlapPolicy | undefined
}
