import type { Queryable } from '../../platform/database.ts'
import { DEFAULT_TENANT } from '../../platform/viewer.ts'
import type { KeyValues, Model, SqlClient } from '../define.ts'
import { tenantsOf } from '../tenants.ts'
import { dropNotes, readChanges } from './changes.ts'
import { keyText } from './key.ts'
import type { ScoringEngines } from './run.ts'
import { createScoreStore } from './store.ts'

/** Where a page ends: the key or the number of the note that the next page goes on after. */
export type Mark = KeyValues | string

export interface KeyPage {
  readonly keys: readonly KeyValues[]
  /** Whose each entity is, shape (keys,). */
  readonly tenants: readonly string[]
  /** Null after the last page. */
  readonly next: Mark | null
  /** What else is written in the transaction of the page's scores. */
  commit?(client: Queryable): Promise<void>
}

/** The entities to score, a page at a time. The same mark gives the page after it, also in a later attempt. */
export type KeyPages = (after: Mark | null) => Promise<KeyPage>

interface Source {
  readonly model: Model
  readonly client: SqlClient
  /** Whose entities; null: everybody's. */
  readonly tenant: string | null
  readonly asOf: Date
  readonly limit: number
}

/** Every entity that the question is about at that moment. */
export function allKeys(source: Source): KeyPages {
  const { model, client, tenant, asOf, limit } = source
  return async (after) => {
    const keys = await model.candidates!(client, {
      asOf,
      limit,
      ...(after ? { after: after as KeyValues } : {}),
      ...(tenant === null ? {} : { tenant }),
    })
    return { ...(await owned(source, keys)), next: keys.length < limit ? null : keys.at(-1)! }
  }
}

/** The keys among these that are the tenant's, and whose each is. What is gone has no tenant: only a scoring of everybody takes its score away. */
async function owned({ model, client, tenant }: Source, keys: readonly KeyValues[]) {
  const tenants = await tenantsOf(model, client, keys)
  const isMeant = (index: number) => tenant === null || tenants[index] === tenant
  return {
    keys: keys.filter((_, index) => isMeant(index)),
    tenants: tenants.filter((_, index) => isMeant(index)).map((owner) => owner ?? DEFAULT_TENANT),
  }
}

/** Those among `pages` whose newest score is missing, by another version, or computed before a moment. */
export function outdatedKeys(
  pages: KeyPages,
  engines: ScoringEngines,
  model: Model,
  versionId: string,
  before: Date,
): KeyPages {
  const store = createScoreStore(engines.database)
  return async (after) => {
    const page = await pages(after)
    const scores = await store.latest(model.name, page.keys)
    const isOutdated = (index: number) => {
      const score = scores[index]
      return !score || score.versionId !== versionId || score.scoredAt < before
    }
    return {
      ...page,
      keys: page.keys.filter((_, index) => isOutdated(index)),
      tenants: page.tenants.filter((_, index) => isOutdated(index)),
    }
  }
}

/** Entities whose rows changed. Of a tenant's scoring, notes about others stay for theirs. */
export function changedKeys(source: Source, engines: ScoringEngines, upTo: string): KeyPages {
  const { model, client, tenant, asOf, limit } = source
  return async (after) => {
    const { database } = engines
    const notes = await readChanges(database, client, model, { asOf, upTo, limit, after: String(after ?? '0') })
    const found = new Map(notes.flatMap(({ keys }) => keys).map((key) => [keyText(key), key]))
    const own = await owned(source, [...found.values()])
    const ownTexts = new Set(own.keys.map(keyText))
    const done = notes.filter(({ keys }) => tenant === null || keys.every((key) => ownTexts.has(keyText(key))))
    return {
      ...own,
      next: notes.length < limit ? null : notes.at(-1)!.id,
      commit: (transaction) =>
        dropNotes(
          transaction,
          done.map(({ id }) => id),
        ),
    }
  }
}

/** Just these, each once. */
export function givenKeys(source: Source, keys: readonly KeyValues[]): KeyPages {
  const once = [...new Map(keys.map((key) => [keyText(key), key])).values()]
  return async () => ({ ...(await owned(source, once)), next: null })
}
