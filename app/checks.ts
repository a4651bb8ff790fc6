import type { Ground } from '../cli/ground.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Check } from '../gateway/health.ts'
import { heldBack, whyHeldBack } from '../ml/rollout/first-training.ts'
import { pendingMigrations } from '../platform/migrate.ts'
import type { Engines } from './engines.ts'

/** The database answers and is of this release. */
export async function checkGround({ database }: Ground): Promise<Record<'database' | 'migrations', Check>> {
  const pending = await pendingMigrations(database)
  return {
    database: { ok: true, says: database.embedded ? 'embedded' : 'server' },
    migrations: {
      ok: pending.length === 0,
      says: pending.length === 0 ? 'current' : `pending: ${pending.join(', ')}`,
    },
  }
}

/**
 * Every model serves, or its first training has ended without a version that may. `firstJobs` holds those trainings by model;
 * without them another process trains, and nothing is waited for.
 */
export async function checkModels(
  { serving, jobs, registry, models }: Pick<Engines, 'serving' | 'jobs' | 'registry' | 'models'>,
  firstJobs: ReadonlyMap<string, string> | null,
): Promise<Check> {
  const tried = firstJobs ? await jobs.find([...firstJobs.values()]) : []
  const isOver = (model: string) => tried.some(({ id, endedAt }) => id === firstJobs?.get(model) && endedAt !== null)
  const states = serving.states()
  const held = new Map<string, string>()
  for (const model of models) {
    if (!states.some((state) => state.model === model.name && state.version === null)) continue
    const version = await heldBack(registry, model)
    if (version) held.set(model.name, whyHeldBack(version))
  }
  const waiting = states.filter(({ model, version }) => version === null && !held.has(model) && !isOver(model))
  return {
    ok: firstJobs === null || waiting.length === 0,
    says: states
      .map(
        ({ model, version, problem }) => `${model}: ${version ? `version ${version}` : (held.get(model) ?? problem)}`,
      )
      .join('; '),
  }
}

/** A worker takes jobs here, where it is meant to. */
export function checkWorker({ jobs }: Pick<Engines, 'jobs'>, works: boolean): Check {
  const { worker } = jobs.status()
  return { ok: worker !== null || !works, says: worker ?? 'runs elsewhere' }
}

/** Some subgraph answers. One that is down leaves the others' fields whole: no reason to turn clients away. */
export function checkReach(gateway: Pick<Gateway, 'reach'>): Check {
  const reach = gateway.reach()
  return {
    ok: reach.some(({ well }) => well > 0),
    says: reach.map(({ name, well, known }) => `${name}: ${well} of ${known}`).join('; '),
  }
}
