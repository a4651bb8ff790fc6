import type { Ground } from '../cli/ground.ts'
import { createJobs, type Jobs } from '../jobs/engine.ts'
import { fanOutOf } from '../jobs/fan-out.ts'
import type { AnyJobKind } from '../jobs/kind.ts'
import type { Llm } from '../llm/engine.ts'
import type { Model } from '../ml/define.ts'
import { importJob } from '../ml/import/import-job.ts'
import { createShadowing, type Shadowing } from '../ml/rollout/shadow.ts'
import { scoringJob } from '../ml/scores/scoring-job.ts'
import { createServing, type Serving } from '../ml/serving.ts'
import { trainingJob } from '../ml/training-job.ts'
import { models } from '../models/index.ts'
import { createRegistry, type Registry } from '../registry/registry.ts'
import { type Monitoring, openMonitoring } from './monitoring.ts'
import { openLlmEngine } from './llm.ts'

/** The engines of one process, each handed to whoever needs it. */
export interface Engines {
  readonly registry: Registry
  readonly serving: Serving
  readonly shadow: Shadowing
  readonly jobs: Jobs
  readonly models: readonly Model[]
  readonly monitoring: Monitoring
  readonly llm: Llm
}

/** What a process does with the engines, beside asking for jobs. */
export interface EngineUse {
  /** Loads every model's champion and follows its alias. */
  readonly scores: boolean
  /** Runs jobs. */
  readonly works: boolean
}

/** Opens the engines and leaves their end to the caller's stack. Nothing runs before `jobs.start`. */
export async function openEngines(
  ground: Ground,
  { scores, works }: EngineUse,
  opened: AsyncDisposableStack,
): Promise<Engines> {
  const { database, log } = ground
  const registry = createRegistry(database, ground)
  const serving = await createServing({ registry, models: scores ? models : [], log })
  opened.defer(() => serving.close())
  const fanOut = await fanOutOf(database, ground.config.REDIS_URL, log)
  // Kinds come before the engine that runs them; by the time one runs, it is there.
  const monitoring = openMonitoring(ground, { registry, serving, jobs: () => jobs }, opened)
  const jobs: Jobs = await createJobs({
    database,
    log,
    worker: works,
    kinds: [...jobKinds(ground, { registry, serving }), ...monitoring.kinds],
    fanOut,
  })
  opened.defer(() => jobs.stop())
  const shadow = createShadowing({ database, serving, log, share: ground.config.INKLING_SHADOW_SHARE })
  opened.defer(() => shadow.close())
  const llm = openLlmEngine(ground)
  opened.defer(() => llm.close())
  return { registry, serving, shadow, jobs, models, monitoring, llm }
}

/** What can be enqueued. A new kind of job is one line here. */
function jobKinds(ground: Ground, engines: Pick<Engines, 'registry' | 'serving'>): AnyJobKind[] {
  const { database, clock, learning, config } = ground
  const memoryMb = config.INKLING_TRAINING_MEMORY_MB
  const parts = { ...engines, database, clock, models, client: learning, memoryMb }
  return [trainingJob(parts), importJob(parts), scoringJob(parts)]
}
