import type { Queryable } from '../../platform/database.ts'
import type { KeyValues, Model, SqlClient } from '../define.ts'
import { dropNotes, readChanges } from './changes.ts'
import { keyText } from './key.ts'
import type { ScoringEngines } from './run.ts'
import { createScoreStore } from './store.ts'

/** Where a page ends: the key or the number of the note that the next page goes on after. */
export type Mark = KeyValues | string

export interface KeyPage {
  readonly keys: readonly KeyValues[]
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
  readonly asOf: Date
  readonly limit: number
}

/** Every entity that the question is about at that moment. */
export function allKeys({ model, client, asOf, limit }: Source): KeyPages {
  return async (after) => {
    const keys = await model.candidates!(client, { asOf, limit, ...(after ? { after: after as KeyValues } : {}) })
    return { keys, next: keys.length < limit ? null : keys.at(-1)! }
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
    return { ...page, keys: page.keys.filter((_, index) => isOutdated(index)) }
  }
}

/** Entities whose rows changed. */
export function changedKeys({ model, client, asOf, limit }: Source, engines: ScoringEngines, upTo: string): KeyPages {
  return async (after) => {
    const { database } = engines
    const { keys, noteIds } = await readChanges(database, client, model, {
      asOf,
      upTo,
      limit,
      after: String(after ?? '0'),
    })
    return {
      keys,
      next: noteIds.length < limit ? null : noteIds.at(-1)!,
      commit: (transaction) => dropNotes(transaction, noteIds),
    }
  }
}

/** Just these, each once. */
export function givenKeys(keys: readonly KeyValues[]): KeyPages {
  const once = [...new Map(keys.map((key) => [keyText(key), key])).values()]
  return async () => ({ keys: once, next: null })
}
