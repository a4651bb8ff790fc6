import { ascending, type Candidate, type Strategy } from './strategy.ts'

/** By the quality that the configuration declares for the task. */
export const quality: Strategy = (candidates, { task }) =>
  ascending(
    candidates,
    (candidate) => -qualityOf(candidate, task),
    (_, score) => `quality ${-score} declared for ${task ?? 'any task'}`,
  )

/** 0..1; 0 where nothing is declared. */
export function qualityOf({ target }: Candidate, task: string | null): number {
  const declared = task !== null && Object.hasOwn(target.quality, task) ? target.quality[task] : undefined
  return declared ?? target.quality.default ?? 0
}
