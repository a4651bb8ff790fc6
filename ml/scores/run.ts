import type { JobContext } from '../../jobs/kind.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/database.ts'
import type { KeyValues, Model, SqlClient } from '../define.ts'
import type { ServedVersion, Serving } from '../serving.ts'
import { recordScoring } from './freshness.ts'
import { allKeys, changedKeys, givenKeys, type KeyPage, type KeyPages, type Mark, outdatedKeys } from './pages.ts'
import { type ScoredPage, scoreKeys } from './scoring.ts'
import { createScoreStore } from './store.ts'

/** Rows read in one statement: the embedded engine, which has one session, answers others in between. */
const PAGE = { embedded: 2000, server: 5000 }
/** Pages under way at a time: one is read while another is scored and a third is stored. */
const FLIGHTS = { embedded: 2, server: 3 }

export interface ScoringEngines {
  readonly database: Database
  readonly serving: Serving
  readonly clock: Pick<Clock, 'now'>
  /** Reads features: the customer's own client. */
  readonly client: SqlClient
  readonly models: readonly Model[]
  /** Rows read in one statement; by the kind of database when absent. */
  readonly pageSize?: number
}

/**
 * Whom to score: ALL whom the question is about, those whose rows CHANGED, or these keys; of them, where given, only the outdated ones,
 * and only those of a tenant.
 */
export interface ScoringScope {
  /** Whose entities; null: everybody's. */
  readonly tenant: string | null
  readonly scope: 'ALL' | 'CHANGED'
  readonly keys?: readonly KeyValues[] | undefined
  readonly scoredBefore?: string | undefined
}

export function isWholeScope({ scope, keys, scoredBefore }: Omit<ScoringScope, 'tenant'>): boolean {
  return scope === 'ALL' && !keys && !scoredBefore
}

/** What a whole scoring keeps fixed, whatever crashes: one moment and one version for every page. */
export interface Beginning {
  readonly [name: string]: string | number
  readonly asOf: string
  readonly startedAt: string
  readonly versionId: string
  readonly versionNumber: number
  /** The newest note of a change at the beginning. */
  readonly upTo: string
}

/** Scores everyone in the scope, page by page, each page a step of the job. */
export async function runScoring(
  engines: ScoringEngines,
  context: JobContext,
  model: Model,
  scope: ScoringScope,
  beginning: Beginning,
  served: ServedVersion,
) {
  const { database } = engines
  const store = createScoreStore(database)
  const asOf = new Date(beginning.asOf)
  const startedAt = new Date(beginning.startedAt)
  const isWhole = isWholeScope(scope)
  const pages = pagesOf(engines, model, scope, beginning)
  const { rows } = await database.query<{ n: string }>(
    'SELECT COALESCE(sum("count"), 0) AS n FROM inkling."ScoreCount" WHERE model = $1 AND ($2::text IS NULL OR tenant = $2)',
    [model.name, scope.tenant],
  )
  const expected = isWhole ? Number(rows[0]!.n) : (scope.keys?.length ?? 0) // as many as last time
  let scored = 0
  let notApplicable = 0

  /** One step: its scores are stored in the transaction that commits it. `bound` knows where the next page begins as soon as that is known. */
  function startPage(number: number, after: Mark | null, bound: (next: Mark | null) => void): Promise<void> {
    let page: KeyPage
    let slices: ScoredPage[] = []
    const step = context.step(
      `page ${number}`,
      async () => {
        page = await pages(after)
        bound(page.next)
        slices = await scoreSlices(
          engines,
          { model, served, keys: page.keys, tenants: page.tenants, asOf, scoredAt: startedAt },
          context.signal,
        )
        const left = slices.reduce((sum, slice) => sum + slice.notApplicable.length, 0)
        return { next: page.next, scored: page.keys.length - left, notApplicable: left }
      },
      async (_value, client) => {
        for (const slice of slices) {
          await store.write(slice.batch)
          await store.remove(model.name, slice.notApplicable)
        }
        await page.commit?.(client)
      },
    )
    return step.then((value) => {
      bound(value.next)
      scored += value.scored
      notApplicable += value.notApplicable
      context.progress({ done: scored, ...(expected >= scored ? { total: expected } : {}), unit: 'entities' })
    })
  }
  await inFlight(database.embedded ? FLIGHTS.embedded : FLIGHTS.server, startPage)

  return context.step(
    'end',
    () => ({ version: beginning.versionNumber, asOf: beginning.asOf, scored, notApplicable }),
    async (_value, client) => {
      // Who is no candidate any more keeps no newest score: gone, or not eligible.
      if (isWhole) await store.removeBefore(model.name, startedAt, scope.tenant ?? undefined)
      const { versionId, versionNumber } = beginning
      const jobId = context.job.id
      await recordScoring(client, {
        jobId,
        model: model.name,
        versionId,
        versionNumber,
        asOf,
        startedAt,
        isWhole,
        scored,
        notApplicable,
        tenant: scope.tenant,
      })
    },
  )
}

function pagesOf(
  engines: ScoringEngines,
  model: Model,
  { tenant, scope, keys, scoredBefore }: ScoringScope,
  { asOf, upTo, versionId }: Beginning,
): KeyPages {
  const limit = pageOf(engines)
  const source = { model, client: engines.client, tenant, asOf: new Date(asOf), limit }
  const all =
    scope === 'CHANGED'
      ? changedKeys({ ...source, limit: 500 }, engines, upTo)
      : keys
        ? givenKeys(source, keys)
        : allKeys(source)
  return scoredBefore ? outdatedKeys(all, engines, model, versionId, new Date(scoredBefore)) : all
}

function pageOf({ database, pageSize }: ScoringEngines): number {
  if (pageSize) return pageSize
  return database.embedded ? PAGE.embedded : PAGE.server
}

/** A page of changes may stand for more entities than one statement should read. */
async function scoreSlices(
  engines: ScoringEngines,
  task: Omit<Parameters<typeof scoreKeys>[0], 'client'>,
  signal: AbortSignal,
): Promise<ScoredPage[]> {
  const size = pageOf(engines)
  const slices: ScoredPage[] = []
  for (let start = 0; start < task.keys.length; start += size) {
    signal.throwIfAborted()
    const part = { keys: task.keys.slice(start, start + size), tenants: task.tenants.slice(start, start + size) }
    slices.push(await scoreKeys({ ...task, client: engines.client, ...part }))
  }
  return slices
}

/** Runs pages in their order, several at a time. The first failure stops new ones and is thrown when the running ones are over. */
async function inFlight(
  most: number,
  start: (number: number, after: Mark | null, bound: (next: Mark | null) => void) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  let failure: { error: unknown } | null = null
  let after: Mark | null = null
  for (let number = 0; failure === null; number++) {
    const bound = Promise.withResolvers<Mark | null>()
    const page: Promise<void> = start(number, after, bound.resolve)
      .catch((error) => {
        failure ??= { error }
        bound.resolve(null)
      })
      .finally(() => running.delete(page))
    running.add(page)
    after = await bound.promise
    if (after === null) break
    while (running.size >= most) await Promise.race(running)
  }
  await Promise.all(running)
  if (failure) throw (failure as { error: unknown }).error
}
