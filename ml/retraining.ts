import { isDeepStrictEqual } from 'node:util'
import type { Jobs } from '../jobs/engine.ts'
import type { Database } from '../platform/database.ts'
import type { Viewer } from '../platform/viewer.ts'
import type { Registry } from '../registry/registry.ts'
import type { AlertEvent } from './alerts/store.ts'
import type { Model, Retrain } from './define.ts'
import { createOutcomeStore } from './outcomes/store.ts'
import { startTraining, TRAINING_JOB } from './training-job.ts'

/** Mondays at three, when few are about. */
const WEEKLY = '0 3 * * 1'

export interface RetrainingEngines {
  readonly database: Database
  readonly registry: Registry
  readonly jobs: Jobs
  readonly models: readonly Model[]
  /** In whose name it trains. */
  readonly viewer: Viewer
  readonly seed: number
}

export const retrainName = (model: string) => `retrain ${model}`

/** How a model is retrained; null when never by itself. */
export function retrainOf(
  model: Model,
): (Retrain & { readonly every: string | false; readonly timeZone: string }) | null {
  if (model.retrain === false) return null
  return { ...model.retrain, every: model.retrain?.every ?? WEEKLY, timeZone: model.retrain?.timeZone ?? 'UTC' }
}

/** A new version serves only where it is better on rows that neither version learned from. */
const request = (model: string, seed: number) => ({ model, seed, candidates: 'quick', promote: 'if-better' }) as const

/** Makes the schedules what the model files say, also after those changed; a paused one stays paused. May be repeated, by any process. */
export async function keepRetrainSchedules({ jobs, models, viewer, seed }: RetrainingEngines): Promise<void> {
  for (const model of models) {
    const retrain = retrainOf(model)
    const input = request(model.name, seed)
    const wanted = retrain?.every ? { expression: retrain.every, timeZone: retrain.timeZone } : null
    await keepSchedule(jobs, viewer, { name: retrainName(model.name), kind: TRAINING_JOB, input }, wanted)
  }
}

/** Creates, replaces or removes one schedule, so that it is what is wanted. Missed runs are made good by one. */
export async function keepSchedule(
  jobs: Jobs,
  viewer: Viewer,
  schedule: { readonly name: string; readonly kind: string; readonly input: unknown },
  wanted: { readonly expression: string; readonly timeZone: string } | null,
): Promise<void> {
  const { schedules } = await jobs.schedules.list({ viewer, first: 1000 })
  const found = schedules.find(({ name }) => name === schedule.name)
  const isSame =
    found &&
    wanted &&
    found.expression === wanted.expression &&
    found.timeZone === wanted.timeZone &&
    found.kind === schedule.kind &&
    isDeepStrictEqual(found.input, schedule.input)
  if (isSame || (!found && !wanted)) return
  if (found) await jobs.schedules.remove(found.id, viewer).catch(ifGone)
  if (!wanted) return
  const made = await jobs.schedules
    .create({ ...schedule, ...wanted, missed: 'ONCE', overlap: 'SKIP' }, viewer)
    .catch(ifGone) // another process was first
  if (made && found?.isPaused) await jobs.schedules.pause(made.id, viewer)
}

function ifGone(error: { code?: string }): null {
  if (error.code === 'JOB_STATE' || error.code === 'NOT_FOUND') return null
  throw error
}

/**
 * Starts what is due by what was seen: once for an alert of drift, and after so many outcomes since the last run. Resolves with the jobs'
 * ids. Any number of processes may look: the idempotency key makes one run of it.
 */
export async function retrainDue(
  engines: RetrainingEngines,
  model: Model,
  events: readonly AlertEvent[],
): Promise<string[]> {
  const retrain = retrainOf(model)
  if (!retrain) return []
  const { viewer, seed, database, registry } = engines
  const started: string[] = []
  const start = async (cause: string) => {
    const idempotencyKey = `${retrainName(model.name)}: ${cause}`
    const { jobId } = await startTraining(engines, { ...request(model.name, seed), viewer, idempotencyKey })
    started.push(jobId)
  }
  const drifted = events.find(({ type, data }) => type === 'OPENED' && data.rule === 'DRIFT')
  if (retrain.onDrift && drifted) await start(`drift, alert ${drifted.alertId}`)
  if (retrain.onOutcomes) {
    const [last] = await registry.runs.list('training', model.name, 1)
    const count = await createOutcomeStore(database).countSince(model.name, last?.createdAt ?? new Date(0))
    if (count >= retrain.onOutcomes) await start(`outcomes since run ${last?.id ?? 'none'}`)
  }
  return started
}
