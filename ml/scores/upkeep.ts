import type { Jobs } from '../../jobs/engine.ts'
import { messageOf } from '../../platform/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Viewer } from '../../platform/viewer.ts'
import type { Model } from '../define.ts'
import { type Looking, lookEvery } from '../looking.ts'
import { newestNote } from './changes.ts'
import { newestScoring } from './freshness.ts'
import type { ScoringEngines } from './run.ts'
import { runningScoring, startScoring } from './scoring-job.ts'

export interface ScoreUpkeepOptions extends Pick<ScoringEngines, 'database' | 'serving' | 'models'> {
  readonly jobs: Jobs
  readonly viewer: Viewer
  readonly log: Log
  /** How often it looks. */
  readonly everyMs?: number
  /** Everyone is scored again after so long, as features age without any row changing. */
  readonly wholeEveryMs?: number
}

/** A look resolves with the jobs started. */
export type ScoreUpkeep = Looking<string[]>

const LOOK_MS = 10_000
const DAY_MS = 86_400_000

/**
 * Keeps stored scores up to date: scores everyone when another version serves and once a day, and those whose watched rows changed within
 * seconds. Any number of processes may run it: what two of them start at once is one job.
 */
export function createScoreUpkeep(options: ScoreUpkeepOptions): ScoreUpkeep {
  const { log, everyMs = LOOK_MS } = options
  return lookEvery(everyMs, async () => {
    const started: string[] = []
    for (const model of options.models) {
      const job = await startDue(options, model).catch((error) => {
        log.error({ event: 'scores could not be kept up', model: model.name, error: messageOf(error) })
        return null
      })
      if (job) started.push(job)
    }
    return started
  })
}

/** Starts what a model's scores need most; null when that is nothing or under way. */
async function startDue(options: ScoreUpkeepOptions, model: Model): Promise<string | null> {
  const { database, serving, jobs, viewer, models, wholeEveryMs = DAY_MS } = options
  const { version } = serving.states().find((state) => state.model === model.name) ?? { version: null }
  if (version === null || !model.candidates) return null
  if (await runningScoring({ jobs }, model.name)) return null
  const newest = await newestScoring(database, model.name)
  const dueAt = newest ? newest.startedAt.getTime() + wholeEveryMs : 0
  if (newest?.versionNumber !== version || dueAt <= Date.now()) {
    const idempotencyKey = `scores of ${model.name} ${version} after ${newest?.jobId ?? 'none'}`
    return (await startScoring({ jobs, models }, { model: model.name, everyone: true }, { viewer, idempotencyKey })).id
  }
  const note = await newestNote(database, model.name)
  if (note === '0') return null
  const idempotencyKey = `changes of ${model.name} up to ${note}`
  return (
    await startScoring(
      { jobs, models },
      { model: model.name, scope: 'CHANGED', everyone: true },
      { viewer, idempotencyKey },
    )
  ).id
}
