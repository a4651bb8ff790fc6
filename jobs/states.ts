/**
 * The states of a job. The arrows are enforced in SQL by the trigger "Job_move" (prisma/platform/migrations):
 *
 *   SCHEDULED -> QUEUED -> RUNNING -> SUCCEEDED          RUNNING -> RETRYING -> RUNNING
 *   BLOCKED   -> QUEUED                                  RUNNING -> BLOCKED (waits for its children) | QUEUED (handed back)
 *   FAILED | CANCELLED -> QUEUED (retry by hand)         RUNNING -> FAILED | CANCELLING -> CANCELLED | SUCCEEDED (finished first)
 *   every waiting state -> CANCELLED
 *
 * CRASHED and TIMED_OUT are outcomes of attempts, not states.
 */
export const jobStates = [
  'SCHEDULED',
  'BLOCKED',
  'QUEUED',
  'RUNNING',
  'RETRYING',
  'CANCELLING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
] as const
export type JobState = (typeof jobStates)[number]

export const jobOutcomes = [
  'SUCCEEDED',
  'FAILED',
  'CRASHED',
  'TIMED_OUT',
  'CANCELLED',
  'RELEASED',
  'SUSPENDED',
] as const
export type JobOutcome = (typeof jobOutcomes)[number]

const finals: ReadonlySet<JobState> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED'])

export function isFinal(state: JobState): boolean {
  return finals.has(state)
}

/** The move from one state to another, as the trigger allows it; for checkers of histories. */
export function isAllowedMove(from: JobState | null, to: JobState): boolean {
  return allowed[from ?? 'NEW']!.includes(to)
}

const allowed: Record<string, readonly JobState[]> = {
  NEW: ['SCHEDULED', 'BLOCKED', 'QUEUED'],
  SCHEDULED: ['QUEUED', 'RUNNING', 'CANCELLED'],
  BLOCKED: ['QUEUED', 'CANCELLED'],
  QUEUED: ['RUNNING', 'CANCELLED'],
  RUNNING: ['SUCCEEDED', 'FAILED', 'RETRYING', 'CANCELLING', 'BLOCKED', 'QUEUED'],
  RETRYING: ['RUNNING', 'QUEUED', 'CANCELLED'],
  CANCELLING: ['CANCELLED', 'SUCCEEDED'],
  SUCCEEDED: [],
  FAILED: ['QUEUED'],
  CANCELLED: ['QUEUED'],
}
