/** The keys of an entity fall into so many buckets by a salted hash. */
export const BUCKETS = 10_000

/** From `at` on, so many of the 10,000 buckets are the challenger's. */
export interface ExperimentStep {
  readonly number: number
  readonly buckets: number
  readonly at: Date
  readonly setBy: string
}

/** Why an experiment ended. */
export const experimentOutcomes = [
  'CHALLENGER_BETTER',
  'CHALLENGER_WORSE',
  'INCONCLUSIVE',
  'CHALLENGER_UNFIT',
  'STOPPED',
  'ROLLED_BACK',
  'CHAMPION_MOVED',
] as const
export type ExperimentOutcome = (typeof experimentOutcomes)[number]

/** Two versions of one thing that answer side by side, each to its own keys. */
export interface Experiment<Plan = unknown, Verdict = unknown> {
  readonly id: string
  readonly kind: string
  readonly name: string
  /** The champion when it began. */
  readonly baselineId: string
  readonly challengerId: string
  readonly salt: string
  /** By `at`; those that are still to come among them. */
  readonly steps: readonly ExperimentStep[]
  /** What the kind judges it by. */
  readonly plan: Plan
  /** Its newest judgement; null before the first. */
  readonly verdict: Verdict | null
  readonly startedAt: Date
  readonly startedBy: string
  readonly endedAt: Date | null
  readonly endedBy: string | null
  readonly outcome: ExperimentOutcome | null
  readonly reason: string | null
}

export interface ExperimentEnd {
  readonly endedBy: string
  readonly outcome: ExperimentOutcome
  readonly reason: string
}

/** The challenger's buckets at a moment. steps: by `at`. */
export function bucketsAt(steps: readonly Pick<ExperimentStep, 'at' | 'buckets'>[], moment: Date): number {
  return steps.findLast(({ at }) => at <= moment)?.buckets ?? 0
}
