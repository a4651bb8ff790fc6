import type { Database } from '../../platform/database.ts'
import { isInklingError, messageOf } from '../../platform/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Registry } from '../../registry/registry.ts'
import { type Looking, lookEvery } from '../looking.ts'
import { CHAMPION, MODEL_KIND } from '../model-version.ts'
import type { ReadArms } from './arms.ts'
import { judgeExperiment, type ModelExperiment } from './experiments.ts'

/** A look judges every running experiment. */
export type ExperimentUpkeep = Looking<void>

const LOOK_MS = 10_000
const JUDGE = 'sequential test'

/**
 * Judges running experiments and ends those that are decided. Any number of processes may run it: an experiment ends once, inside the
 * lock of its aliases, and who comes second is told so.
 */
export function createExperimentUpkeep(options: {
  readonly database: Database
  readonly registry: Registry
  readonly readArms: ReadArms
  readonly log: Log
  readonly everyMs?: number
}): ExperimentUpkeep {
  const { registry, log, everyMs = LOOK_MS } = options
  return lookEvery(everyMs, async () => {
    const running = await registry.experiments.running(MODEL_KIND).catch((error) => {
      log.warn({ event: 'experiments could not be looked up', error: messageOf(error) })
      return []
    })
    for (const experiment of running)
      await judge(options, experiment as ModelExperiment).catch((error) => {
        if (isInklingError(error) && error.code === 'CONFLICT') return // somebody else ended it
        log.error({ event: 'experiment could not be judged', experiment: experiment.id, error: messageOf(error) })
      })
  })
}

async function judge(
  { database, registry, readArms, log }: Parameters<typeof createExperimentUpkeep>[0],
  experiment: ModelExperiment,
): Promise<void> {
  const { id, name, baselineId, challengerId, plan } = experiment
  const challenger = await registry.version(challengerId)
  if (challenger.state !== 'REGISTERED') {
    const reason = `version ${challenger.number} is ${challenger.state.toLowerCase()}`
    await registry.experiments.stop(id, { endedBy: JUDGE, outcome: 'CHALLENGER_UNFIT', reason })
    return
  }
  const { verdict, end } = judgeExperiment(experiment, await readArms(experiment, plan.metric), new Date())
  await registry.experiments.judge(id, verdict)
  if (!end) return
  await database.transaction(async () => {
    await registry.experiments.stop(id, { endedBy: JUDGE, ...end })
    if (end.outcome === 'CHALLENGER_BETTER' && plan.promotes)
      await registry.move({
        kind: MODEL_KIND,
        name,
        alias: CHAMPION,
        versionId: challengerId,
        movedBy: JUDGE,
        reason: end.reason,
        expected: baselineId,
      })
  })
  log.info({ event: 'experiment ended', model: name, experiment: id, outcome: end.outcome })
}
