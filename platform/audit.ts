import { AsyncLocalStorage } from 'node:async_hooks'
import type { Database } from './database.ts'
import { messageOf } from './errors.ts'
import type { Log } from './log.ts'
import type { RequestContext } from './request.ts'

/** One mutation that was asked for, and what became of it. */
export interface AuditEntry {
  readonly at: Date
  readonly tenant: string
  readonly viewerId: string
  readonly requestId: string
  /** The mutation, such as `trainModel`. */
  readonly field: string
  /** What it was asked with, by `shapeOf`. */
  readonly input: unknown
  /** `OK`, or the code of the error. */
  readonly outcome: string
}

/** Keeps what was asked to be changed. Nobody waits for it, and a clean stop loses nothing. */
export interface Audit {
  record(entry: AuditEntry): void
  /** Writes what is still held. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** How long an entry may be held, so that a busy moment costs one statement. */
const HOLD_MS = 200
const MOST_HELD = 10_000
const PAGE = 1_000

/** Writes entries to the table inkling."Audit" in the order in which they came; what cannot be written in time is logged instead. */
export function createAudit(database: Pick<Database, 'query'>, log: Log): Audit {
  let held: AuditEntry[] = []
  let timer: NodeJS.Timeout | null = null
  let writing = Promise.resolve()
  const outside = AsyncLocalStorage.snapshot() // a timer set inside somebody's transaction must not write into it

  const write = async () => {
    timer = null
    while (held.length > 0) {
      const page = held.slice(0, PAGE)
      try {
        await insert(database, page)
      } catch (error) {
        log.error({ event: 'audit could not be written', entries: held.length, reason: messageOf(error) })
        return schedule(5 * HOLD_MS)
      }
      held = held.slice(page.length)
    }
  }
  const flush = () => {
    writing = outside(() => writing.then(write))
    return writing
  }
  const schedule = (ms: number) => {
    timer ??= setTimeout(flush, ms).unref()
  }

  return {
    record(entry) {
      if (held.length < MOST_HELD) held.push(entry)
      else log.error({ event: 'mutation', ...entry })
      schedule(HOLD_MS)
    },
    flush,
    async close() {
      await flush()
      if (timer) clearTimeout(timer)
      for (const entry of held) log.error({ event: 'mutation', ...entry })
      held = []
    },
  }
}

/** For a process without a database: what it refuses is a line of the log. */
export function logAudit(log: Log): Audit {
  return { record: (entry) => log.info({ event: 'mutation', ...entry }), flush: async () => {}, close: async () => {} }
}

/** Who asked, and in which request. */
export function askedBy({ viewer, requestId }: Pick<RequestContext, 'viewer' | 'requestId'>) {
  return { at: new Date(), tenant: viewer.tenant, viewerId: viewer.id, requestId }
}

async function insert(database: Pick<Database, 'query'>, entries: readonly AuditEntry[]): Promise<void> {
  await database.query(
    `INSERT INTO "inkling"."Audit" ("at", "tenant", "viewerId", "requestId", "field", "input", "outcome")
     SELECT "at", "tenant", "viewerId", "requestId", "field", "input", "outcome"
     FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS ("at" timestamptz, "tenant" text, "viewerId" text, "requestId" text, "field" text, "input" jsonb, "outcome" text))
       WITH ORDINALITY ORDER BY ordinality`,
    [JSON.stringify(entries)],
  )
}

/** Names of arguments whose text says which thing is meant, and nothing about anybody. */
const telling = /[a-z]Ids?$|^(id|ids|model|alias|version|kind|prompt|metric|state|target)$/
const MOST_ITEMS = 5
const MOST_KEYS = 50

/**
 * An input without what it says: ids, switches and names of models are kept, any other text is its length and a number is
 * only a number, so that nothing about a person stays when the person is forgotten.
 */
export function shapeOf(value: unknown, name = '', depth = 0): unknown {
  if (value === null || value === undefined || typeof value === 'boolean') return value ?? null
  if (typeof value === 'string') {
    return telling.test(name) && /^[\w.:@|/+-]{1,100}$/.test(value) ? value : `text of ${value.length}`
  }
  if (typeof value !== 'object') return typeof value
  if (value instanceof Date) return 'moment'
  if (depth > 6) return 'nested'
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ITEMS).map((item) => shapeOf(item, name, depth + 1))
    return value.length > MOST_ITEMS ? [...items, `${value.length - MOST_ITEMS} more`] : items
  }
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_KEYS)
      .map(([key, inner]) => [key.slice(0, 100), shapeOf(inner, key, depth + 1)]),
  )
}

/** A page of one tenant's audit, newest first. before: a sequence. */
export async function readAudit(
  database: Pick<Database, 'query'>,
  tenant: string,
  { first, before }: { readonly first: number; readonly before: string | null },
): Promise<{ readonly entries: readonly StoredEntry[]; readonly hasNext: boolean }> {
  const { rows } = await database.query<StoredEntry>(
    `SELECT a."sequence"::text, a."at", a."tenant", a."viewerId", a."requestId", a."field", a."input", a."outcome"
     FROM "inkling"."Audit" a WHERE a."tenant" = $1 AND ($2::bigint IS NULL OR a."sequence" < $2::bigint)
     ORDER BY a."sequence" DESC LIMIT $3`,
    [tenant, before, first + 1],
  )
  return { entries: rows.slice(0, first), hasNext: rows.length > first }
}

export interface StoredEntry extends AuditEntry {
  /** Grows with every entry of the installation. */
  readonly sequence: string
}
