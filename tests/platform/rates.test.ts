import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { loadConfig } from '../../platform/config.ts'
import type { Database } from '../../platform/database.ts'
import { openRates, type Rates } from '../../platform/rates.ts'
import type { Viewer } from '../../platform/viewer.ts'
import { openTestDatabase, silent } from '../harness.ts'

const viewer = (id: string, tenant = 'north'): Viewer => ({ id, tenant, scopes: [] })

const redis = inject('redis')
const stores = ['memory', 'database', ...(redis ? (['redis'] as const) : [])] as const

/** One contract, wherever it is counted. On the embedded database, which belongs to one process, `database` counts in memory. */
describe.each(stores)('rates counted in %s', (store) => {
  let database: Database
  let rates: Rates
  let elsewhere: Rates
  // Redis is shared by every run on the machine.
  const tenant = `tenant-${process.pid}-${Date.now()}`
  const config = loadConfig({
    ...(redis ? { REDIS_URL: redis } : {}),
    INKLING_RATE_STORE: store,
    INKLING_RATE_VIEWER_OPERATIONS: '5',
    INKLING_RATE_TENANT_OPERATIONS: '8',
    INKLING_RATE_VIEWER_INFERENCES: '100',
  })
  beforeAll(async () => {
    database = await openTestDatabase()
    rates = await openRates(config, database, silent)
    elsewhere = await openRates(config, database, silent)
  })
  afterAll(async () => {
    await rates.close()
    await elsewhere.close()
    await database.close()
  })
  const take = (id: string, of = tenant, by = rates) => by.take('operations', viewer(id, of))

  it('refuse the viewer that asks too often, with the time to wait, and nobody else', async () => {
    for (let count = 0; count < 5; count++) await take('ada')
    const refusal = await take('ada').catch((error) => error)
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', retryable: true })
    expect(refusal.retryAfterMs).toBeGreaterThan(0)
    expect(refusal.retryAfterMs).toBeLessThanOrEqual(60_000)
    await take('bo')
    await take('ada', `${tenant}-other`)
  })

  it('refuse the tenant whose viewers ask too often together, without what was refused', async () => {
    await take('cy')
    await take('di') // the eighth that was granted
    await expect(take('ed')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  })

  it('count rows and mutations apart', async () => {
    await rates.take('mutations', viewer('ada', tenant))
    await rates.take('inferences', viewer('ada', tenant), 100)
    await expect(rates.take('inferences', viewer('ada', tenant), 1)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  })

  it('hold in every process where the store is shared', async () => {
    const isShared = store === 'redis' || (store === 'database' && inject('server') !== '')
    const outcome = await take('ada', tenant, elsewhere).then(
      () => 'granted',
      () => 'refused',
    )
    expect(outcome).toBe(isShared ? 'refused' : 'granted')
  })
})

it('names the store that is missing', async () => {
  const config = loadConfig({ INKLING_RATE_STORE: 'redis' })
  await expect(openRates(config, null, silent)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
