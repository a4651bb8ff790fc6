import type { Observed } from '../statistics.ts'
import type { Target } from '../target.ts'

/** A target that can serve the request, with what is known of it. */
export interface Candidate {
  readonly target: Target
  /** What the answer will probably cost, with the share of cached tokens seen so far. */
  readonly expectedUsd: number
  readonly observed: Observed
}

export interface StrategyContext {
  readonly task: string | null
  /** Never missing: whoever gives none is somebody new. */
  readonly key: string
  /** Tokens that an answer will probably have. */
  readonly expectedTokens: number
  readonly now: number
}

export interface Ranked {
  readonly candidate: Candidate
  /** Why it stands here, in a few words; made only when somebody asks. */
  readonly why: () => string
}

/**
 * Puts candidates into the order in which they are tried. A pure function: equal input, equal order. Every candidate comes out
 * exactly once. All pass tests/llm/strategies.test.ts.
 */
export type Strategy = (candidates: readonly Candidate[], context: StrategyContext) => readonly Ranked[]

/** Ascending by a number; equal ones by declared priority, then by name, so that an order never depends on the input's. */
export function ascending(
  candidates: readonly Candidate[],
  scoreOf: (candidate: Candidate) => number,
  why: (candidate: Candidate, score: number) => string,
): Ranked[] {
  return candidates
    .map((candidate) => ({ candidate, score: scoreOf(candidate) }))
    .sort((a, b) => a.score - b.score || byPriority(a.candidate, b.candidate))
    .map(({ candidate, score }) => ({ candidate, why: () => why(candidate, score) }))
}

export function byPriority(a: Candidate, b: Candidate): number {
  return a.target.priority - b.target.priority || (a.target.name < b.target.name ? -1 : 1)
}
