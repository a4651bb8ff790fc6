import type { Ground } from '../cli/ground.ts'
import { createReadArms } from '../ml/rollout/arms.ts'
import { heldBack } from '../ml/rollout/first-training.ts'
import { createExperimentUpkeep, type ExperimentUpkeep } from '../ml/rollout/upkeep.ts'
import { watchChanges } from '../ml/scores/changes.ts'
import { createScoreUpkeep, type ScoreUpkeep } from '../ml/scores/upkeep.ts'
import { findModel, startTraining } from '../ml/training-job.ts'
import { watches } from '../models/watches.ts'
import { localViewer } from '../platform/viewer.ts'
import type { Engines } from './engines.ts'
import { watchModels } from './monitoring.ts'

/** What a process that works does unasked. */
export interface Chores {
  /** The first trainings by model, as far as `trainMissing` has started them. */
  readonly firstJobs: ReadonlyMap<string, string>
  /** Starts the models' first training where nothing serves yet. Resolves with the jobs' ids by model. */
  trainMissing(): Promise<ReadonlyMap<string, string>>
  /** From now on scores everyone when another version serves, and those whose rows changed; judges experiments, watches and retrains. */
  keepScores(): Promise<void>
  stop(): Promise<void>
}

export function createChores(ground: Ground, engines: Engines): Chores {
  const { database, log, config } = ground
  const firstJobs = new Map<string, string>()
  let upkeep: ScoreUpkeep | null = null
  let experiments: ExperimentUpkeep | null = null
  return {
    firstJobs,
    async trainMissing() {
      for (const { model, version } of engines.serving.states()) {
        if (version !== null || firstJobs.has(model)) continue
        const definition = findModel(engines.models, model)
        if (await heldBack(engines.registry, definition)) continue
        const request = { model, seed: config.INKLING_SEED, candidates: 'quick', promote: 'always' } as const
        // Several workers that start at once agree on one training; one that failed is tried again at the next start.
        const { rows } = await database.query<{ tried: string }>(
          `SELECT count(*) AS "tried" FROM "inkling"."Run" WHERE "kind" = 'training' AND "name" = $1 AND "state" IN ('FAILED', 'CANCELLED')`,
          [model],
        )
        const idempotencyKey = `first training of ${model} ${definition.schemaHash.slice(0, 12)}, after ${rows[0]!.tried} that failed`
        const { jobId } = await startTraining(
          { database, ...engines },
          { ...request, viewer: localViewer, idempotencyKey },
        )
        firstJobs.set(model, jobId)
      }
      return firstJobs
    },
    async keepScores() {
      await watchModels(ground, engines)
      await watchChanges(database, watches)
      upkeep ??= createScoreUpkeep({ database, ...engines, viewer: localViewer, log })
      await upkeep.look()
      const { registry } = engines
      experiments ??= createExperimentUpkeep({ database, registry, readArms: createReadArms(database), log })
    },
    async stop() {
      await upkeep?.stop()
      await experiments?.stop()
    },
  }
}
