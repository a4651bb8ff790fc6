import { createHash } from 'node:crypto'
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible'
import type { Config } from './config.ts'
import type { Database } from './database.ts'
import { InklingError } from './errors.ts'
import type { Log } from './log.ts'
import type { Viewer } from './viewer.ts'

/** What is counted: everything that is asked, the mutations among it, and the rows that are scored for it. */
export type RateKind = 'operations' | 'mutations' | 'inferences'

/** How often viewers and tenants may ask. */
export interface Rates {
  /** Counts, and throws RATE_LIMITED with the time to wait once the viewer or its tenant has used up this minute. */
  take(kind: RateKind, viewer: Viewer, amount?: number): Promise<void>
  close(): Promise<void>
}

export type RateConfig = Pick<Config, 'REDIS_URL' | Extract<keyof Config, `INKLING_RATE_${string}`>>

type Counter = (name: string, points: number) => RateLimiterAbstract

const MINUTE = 60
/** The table's key has room for 255 characters, most of them the prefix's and the name's. */
const LONGEST_KEY = 200
const LONGEST_START_MS = 5_000

/** Counts for one process in memory, or for all of them in the database or in Redis. Throws CONFIG_INVALID for a store that is not there. */
export async function openRates(config: RateConfig, database: Database | null, log: Log): Promise<Rates> {
  const store = await openStore(config, database, log)
  const counters = {
    operations: {
      viewer: store.counter('viewer-operations', config.INKLING_RATE_VIEWER_OPERATIONS),
      tenant: store.counter('tenant-operations', config.INKLING_RATE_TENANT_OPERATIONS),
    },
    mutations: {
      viewer: store.counter('viewer-mutations', config.INKLING_RATE_VIEWER_MUTATIONS),
      tenant: store.counter('tenant-mutations', config.INKLING_RATE_TENANT_MUTATIONS),
    },
    inferences: {
      viewer: store.counter('viewer-inferences', config.INKLING_RATE_VIEWER_INFERENCES),
      tenant: store.counter('tenant-inferences', config.INKLING_RATE_TENANT_INFERENCES),
    },
  }
  return {
    async take(kind, { id, tenant }, amount = 1) {
      // The viewer first: what one of them asks in vain is not charged to the others of the tenant.
      await take(counters[kind].viewer, `${tenant}/${id}`, amount, kind)
      await take(counters[kind].tenant, tenant, amount, kind)
    },
    close: () => store.close(),
  }
}

async function take(counter: RateLimiterAbstract, key: string, amount: number, kind: RateKind): Promise<void> {
  try {
    await counter.consume(key.length > LONGEST_KEY ? createHash('sha256').update(key).digest('base64url') : key, amount)
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal
    const retryAfterMs = Math.max(1, Math.ceil(refusal.msBeforeNext))
    throw new InklingError('RATE_LIMITED', `Too many ${kind} in this minute.`, 'Ask again after a moment.', {
      retryAfterMs,
    })
  }
}

interface Store {
  readonly counter: Counter
  close(): Promise<void>
}

async function openStore(config: RateConfig, database: Database | null, log: Log): Promise<Store> {
  const kind = config.INKLING_RATE_STORE
  if (kind === 'redis') return openRedis(config.REDIS_URL, log)
  if (kind === 'memory' || database?.embedded) return { counter: inMemory, close: async () => {} }
  if (!database) throw noStore('INKLING_RATE_STORE=database, but this process opens no database.')
  return {
    counter: (name, points) =>
      new RateLimiterPostgres({
        ...shared(name, points),
        storeClient: database.pool,
        storeType: 'pool',
        schemaName: 'inkling',
        tableName: 'Rate',
        tableCreated: true,
        clearExpiredByTimeout: true,
      }),
    close: async () => {},
  }
}

async function openRedis(url: string | undefined, log: Log): Promise<Store> {
  if (!url) throw noStore('INKLING_RATE_STORE=redis, but REDIS_URL is not set.')
  const { createClient } = await import('redis')
  const client = createClient({ url, disableOfflineQueue: true })
  client.on('error', (error: Error) => log.warn({ event: 'redis of the rates is lost', reason: error.message }))
  // One that does not answer must not hold up the start: until it does, this process counts for itself.
  const late = new Promise((resolve) => setTimeout(resolve, LONGEST_START_MS).unref())
  await Promise.race([client.connect().catch(() => {}), late])
  return {
    counter: (name, points) =>
      new RateLimiterRedis({
        ...shared(name, points),
        storeClient: client,
        useRedisPackage: true,
        rejectIfRedisNotReady: true,
      }),
    async close() {
      client.destroy()
    },
  }
}

function inMemory(name: string, points: number): RateLimiterAbstract {
  return new RateLimiterMemory({ keyPrefix: `inkling-${name}`, points, duration: MINUTE })
}

/** A key that is used up is not asked about again within its minute; while the store is lost each process counts for itself. */
function shared(name: string, points: number) {
  return {
    keyPrefix: `inkling-${name}`,
    points,
    duration: MINUTE,
    inMemoryBlockOnConsumed: points + 1,
    insuranceLimiter: inMemory(name, points),
  }
}

function noStore(message: string): InklingError {
  return new InklingError('CONFIG_INVALID', message, 'Set INKLING_RATE_STORE to memory, or give it its store.')
}
