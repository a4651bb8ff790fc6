import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { type EmbeddedEngine, startEngine } from './embedded/engine.ts'
import { initialiseFolder, lockFolder } from './embedded/folder.ts'
import { EmbeddedStream } from './embedded/stream.ts'
import { InklingError, messageOf } from './errors.ts'
import { createListener, type Listener } from './listener.ts'
import type { Log } from './log.ts'

export interface Queryable {
  query<Row = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Row[]; rowCount: number }>
}

export interface Database extends Queryable {
  /** PGlite in this process (one session), else a PostgreSQL server. */
  readonly embedded: boolean
  /** The one pool: Prisma clients, the job engine and LISTEN all use it. */
  readonly pool: pg.Pool
  /** Runs work in one transaction. `query` and `transaction` called inside join it. */
  transaction<T>(work: (client: Queryable) => Promise<T>): Promise<T>
  /** Calls back on every notification; also with '' after a lost connection came back, meaning "look again". Returns the end. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  /** The embedded database as an archive that `template` accepts; for tests. */
  dump(): Promise<Uint8Array>
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** A server. Without it the embedded engine is used. */
  readonly url?: string | undefined
  /** Folder of the embedded engine; without it everything is in memory. */
  readonly dataDir?: string | undefined
  readonly poolSize?: number
  readonly log: Log
  /** Archive from `dump()` to start an in-memory engine from. */
  readonly template?: Uint8Array
}

/** Throws DATABASE_UNAVAILABLE, DATA_FOLDER_IN_USE or DATA_FOLDER_VERSION. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.url ? openServer(options.url, options) : openEmbedded(options)
}

async function openServer(url: string, { poolSize = 10, log }: DatabaseOptions): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    application_name: 'inkling',
    idle_in_transaction_session_timeout: 30_000, // a process frozen inside a transaction must not keep its row locks
    options: '-c jit=off', // compiling a feature read takes longer than running it: 5,000 pairs in 2.1 s without, 6.3 s with
  })
  surviveLosses(pool, log) // before its first connection
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end()
    throw new InklingError(
      'DATABASE_UNAVAILABLE',
      `No connection to the database at ${new URL(url).host}: ${messageOf(error)}`,
      'Start the server or correct DATABASE_URL; without DATABASE_URL the embedded database is used.',
      { cause: error },
    )
  }
  return createDatabase(pool, createListener(pool, false, log), null, async () => {})
}

async function openEmbedded({ dataDir, log, template }: DatabaseOptions): Promise<Database> {
  const unlock = dataDir ? lockFolder(dataDir) : () => {}
  let engine: EmbeddedEngine
  try {
    if (dataDir) await initialiseFolder(dataDir, createFolder)
    engine = await startEngine({ ...(dataDir ? { folder: dataDir } : {}), ...(template ? { template } : {}) })
  } catch (error) {
    unlock()
    throw error
  }
  const adopters: ((client: pg.ClientBase) => Promise<void>)[] = []
  const pool = new pg.Pool({
    // A failed query makes the pool drop its connection: the next one has to listen again, before its first query.
    onConnect: async (client: pg.ClientBase) => {
      for (const adopt of adopters) await adopt(client)
    },
    stream: () => new EmbeddedStream(engine) as never,
    max: 1, // there is one session
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: 30_000, // waits behind whoever holds the session, yet never for ever
  } as pg.PoolConfig)
  surviveLosses(pool, log)
  const listener = createListener(pool, true, log)
  adopters.push((client) => listener.adopt(client))
  return createDatabase(pool, listener, engine, async () => {
    await engine.close()
    unlock()
  })
}

async function createFolder(folder: string): Promise<void> {
  const script = fileURLToPath(new URL('./embedded/create-folder.ts', import.meta.url))
  await promisify(execFile)(process.execPath, ['--liftoff-only', script, folder])
}

function createDatabase(
  pool: pg.Pool,
  listener: Listener,
  engine: EmbeddedEngine | null,
  closeEngine: () => Promise<void>,
): Database {
  const current = new AsyncLocalStorage<Queryable>()
  if (engine) refuseNestedConnections(pool, current)
  let closing: Promise<void> | null = null

  async function transaction<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
    const outer = current.getStore()
    if (outer) return work(outer)
    const client = await pool.connect()
    let broken: Error | undefined
    try {
      await client.query('BEGIN')
      const joined = queryableOf(client)
      const value = await current.run(joined, async () => await work(joined)) // await inside: Prisma's promises are lazy
      await client.query('COMMIT')
      return value
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => {
        broken = failure
      })
      throw error
    } finally {
      client.release(broken)
    }
  }
  return {
    embedded: engine !== null,
    pool,
    query: (sql, values) => (current.getStore() ?? queryableOf(pool)).query(sql, values),
    transaction,
    listen: (channel, onNotify) => listener.listen(channel, onNotify),
    async dump() {
      if (!engine) throw new InklingError('BAD_USER_INPUT', 'Only the embedded database can be dumped.', 'Use pg_dump.')
      return engine.dump()
    },
    close() {
      closing ??= (async () => {
        await listener.close()
        await pool.end()
        await closeEngine()
      })()
      return closing
    },
  }
}

/**
 * The pool listens to idle connections only: one that is lost between two statements of a transaction would end the process. Its next
 * query rejects, and that is where the loss is met.
 */
function surviveLosses(pool: pg.Pool, log: Log): void {
  pool.on('error', (error) => log.warn({ event: 'database connection lost', error: error.message }))
  pool.on('connect', (client) => client.on('error', () => {}))
}

function queryableOf(client: Pick<pg.Pool | pg.PoolClient, 'query'>): Queryable {
  return {
    async query<Row>(sql: string, values?: readonly unknown[]) {
      const answer = await (client as pg.Pool).query(sql, values as unknown[] | undefined)
      // A text of several statements answers with an array; the last one speaks for all.
      const last = Array.isArray(answer) ? (answer.at(-1) as pg.QueryResult) : answer
      return { rows: (last?.rows ?? []) as Row[], rowCount: last?.rowCount ?? 0 }
    },
  }
}

/** Inside a transaction the only session is taken: asking the pool for another would wait for ever. Say so instead. */
function refuseNestedConnections(pool: pg.Pool, current: AsyncLocalStorage<Queryable>): void {
  const connect = pool.connect.bind(pool) as (...given: unknown[]) => unknown
  const guarded = (...given: unknown[]) => {
    if (!current.getStore()) return connect(...given)
    const error = new InklingError(
      'CONNECTION_IN_TRANSACTION',
      'A second connection was asked for inside a transaction; the embedded database has one session.',
      'Use the client that the transaction hands you, or move the query out of the transaction.',
    )
    const callback = given[0]
    if (typeof callback === 'function') return callback(error)
    return Promise.reject(error)
  }
  pool.connect = guarded as typeof pool.connect
}
