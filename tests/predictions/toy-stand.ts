import type { FeatureValue, Model } from '../../ml/define.ts'
import { createPredictionLoader, type LoaderOptions, type PredictionLoader } from '../../ml/loaders.ts'
import { CHAMPION, MODEL_KIND } from '../../ml/model-version.ts'
import { createServing, type Serving } from '../../ml/serving.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import type { Database } from '../../platform/database.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { countingClient, fillToys, toyModel } from '../ml/toy-model.ts'

export const now = new Date('2026-06-01')

/** The toy model with versions of several seeds in a database of its own. */
export interface ToyStand {
  readonly database: Database
  readonly registry: Registry
  readonly serving: Serving
  readonly client: ReturnType<typeof countingClient>
  readonly model: Model
  /** Ids of the versions, oldest first; the first is the champion. */
  readonly ids: readonly string[]
  point(alias: string, id: string): Promise<void>
  loader(options?: Partial<LoaderOptions>): PredictionLoader
  close(): Promise<void>
}

export const toy = (id: number | string) => ({ key: { id }, asOf: now })

export async function openToyStand(versions: number, change: Partial<Model> = {}): Promise<ToyStand> {
  const database = await openTestDatabase()
  const registry = createRegistry(database)
  const client = countingClient(database)
  const model = toyModel({
    async candidates(any, { after, limit }) {
      const rows = await any.$queryRawUnsafe<{ id: number }[]>(
        'SELECT id FROM toy WHERE id > $1 ORDER BY id LIMIT $2',
        Number(after?.id ?? 0),
        limit,
      )
      return rows.map(({ id }) => ({ id }))
    },
    ...change,
  })
  await fillToys(database, 1500)
  const ids: string[] = []
  for (let seed = 0; seed < versions; seed++) {
    // Another cut of the rows makes another model, not only another seed.
    const part = {
      ...model,
      labels: (...given: Parameters<Model['labels']>) => everyOther(model.labels(...given), seed),
    }
    const trained = await trainVersion(part, { client, now, seed, candidates: 'quick' })
    const { version } = await registerVersion(registry, trained, { promote: 'never', createdBy: 'tests' })
    ids.push(version.id)
  }
  const point = async (alias: string, versionId: string) => {
    await registry.move({ kind: MODEL_KIND, name: model.name, alias, versionId, movedBy: 'tests', reason: 'test' })
  }
  if (ids[0]) await point(CHAMPION, ids[0])
  const serving = await createServing({ registry, models: [model], log: silent })
  return {
    database,
    registry,
    serving,
    client,
    model,
    ids,
    point,
    loader: (options = {}) => createPredictionLoader({ model, serving, client, instant: new Date(), now, ...options }),
    async close() {
      await serving.close()
      await database.close()
    },
  }
}

async function* everyOther(
  pages: ReturnType<Model['labels']>,
  seed: number,
): ReturnType<Model['labels']> & AsyncGenerator {
  for await (const page of pages) yield seed === 0 ? page : page.filter((_, index) => (index * 7 + seed) % 3 > 0)
}

/** Features by name, as a rule gets them. */
export type Values = Readonly<Record<string, FeatureValue>>
