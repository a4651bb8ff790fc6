import type pg from 'pg'
import { createClient } from 'redis'
import type { Database } from '../platform/database.ts'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { FanOut } from './fan-out.ts'

/** The relay's lock: whoever holds it passes on what the database says. */
const RELAY_LOCK = 72707370
const ELECTION_MS = 2000
const LONGEST_PAUSE_MS = 2000

/**
 * Redis between the processes: only one of them, the relay, hears the source (the database's NOTIFY) and passes it on, so that the database says
 * everything once, however many processes there are. When the relay dies another takes its lock within some seconds; what was not passed
 * on meanwhile, or while Redis is away, is found by the clock. A server only: the embedded database belongs to one process.
 */
export function redisFanOut(database: Database, source: FanOut, url: string, log: Log): FanOut {
  return {
    async listen(hear) {
      const channel = `inkling_jobs:${await installationOf(database)}`
      const reader = connectionOf(url, log)
      let wasLost = false
      reader.on('reconnecting', () => {
        wasLost = true
      })
      reader.on('ready', () => {
        if (wasLost) hear('') // what was said meanwhile is lost
        wasLost = false
      })
      const relay = startRelay(database, source, url, channel, log)
      reader.connect().catch(() => {}) // it goes on trying, and has said so
      const isAway = new Promise<void>((resolve) => {
        reader.once('error', () => {
          wasLost = true
          resolve()
        })
      })
      await Promise.race([reader.subscribe(channel, hear).catch(() => {}), isAway]) // without Redis everybody looks by the clock
      return async () => {
        await relay.stop()
        reader.destroy()
      }
    },
  }
}

/** Several installations may share a Redis: each has a channel of its own. */
async function installationOf(database: Database): Promise<string> {
  const { rows } = await database.query<{ value: string }>(
    `WITH made AS (
       INSERT INTO inkling."Setting" (key, value, "updatedAt") VALUES ('installation', to_jsonb(gen_random_uuid()), now())
       ON CONFLICT (key) DO NOTHING RETURNING value)
     SELECT value FROM made UNION ALL SELECT value FROM inkling."Setting" WHERE key = 'installation' LIMIT 1`,
  )
  return rows[0]?.value ?? installationOf(database) // another process wrote it in this moment
}

function connectionOf(url: string, log: Log) {
  const client = createClient({
    url,
    socket: { reconnectStrategy: (tries) => Math.min(100 * 2 ** tries, LONGEST_PAUSE_MS) },
  })
  let isLost = false
  client.on('error', (error) => {
    if (!isLost) log.warn({ event: 'redis lost', error: messageOf(error) })
    isLost = true
  })
  client.on('ready', () => {
    if (isLost) log.info({ event: 'redis is back' })
    isLost = false
  })
  return client
}

/** Stands for election until it is stopped; elected, it passes on what the database says. */
function startRelay(
  database: Database,
  source: FanOut,
  url: string,
  channel: string,
  log: Log,
): { stop(): Promise<void> } {
  let isStopped = false
  let endTerm: () => void = () => {}
  let timer: NodeJS.Timeout | undefined
  let term: Promise<void> = Promise.resolve()

  async function stand(): Promise<void> {
    const client = await database.pool.connect()
    try {
      const { rows } = await client.query<{ won: boolean }>('SELECT pg_try_advisory_lock($1) AS won', [RELAY_LOCK])
      if (rows[0]!.won) await serve(client)
    } finally {
      client.release(true) // and with the connection its lock
    }
  }
  /** Until the connection that holds the lock is lost, or we are stopped. */
  async function serve(client: pg.PoolClient): Promise<void> {
    const over = new Promise<void>((resolve) => {
      endTerm = resolve
      client.once('end', () => resolve())
    })
    const publisher = connectionOf(url, log)
    publisher.connect().catch(() => {})
    const unlisten = await source.listen((payload) => {
      if (publisher.isReady) publisher.publish(channel, payload).catch(() => {}) // a wake-up that is lost is made good by the clock
    })
    publisher.on('ready', () => void publisher.publish(channel, '').catch(() => {}))
    log.info({ event: 'relay elected' })
    if (!isStopped) await over
    await unlisten()
    publisher.destroy()
  }
  function campaign(): void {
    term = stand()
      .catch((error) => log.warn({ event: 'relay failed', error: messageOf(error) }))
      .then(() => {
        if (!isStopped) timer = setTimeout(campaign, ELECTION_MS)
      })
  }
  campaign()
  return {
    async stop() {
      isStopped = true
      clearTimeout(timer)
      endTerm()
      await term
    },
  }
}
