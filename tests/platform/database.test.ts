import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import type { Database } from '../../platform/database.ts'
import { migrate, pendingMigrations } from '../../platform/migrate.ts'
import { openTestDatabase, silent } from '../harness.ts'

describe('the database', () => {
  let database: Database
  beforeAll(async () => {
    database = await openTestDatabase()
    await database.query('CREATE TABLE note (text text)')
  })
  afterAll(() => database.close())

  const count = async () => Number((await database.query<{ n: string }>('SELECT count(*) AS n FROM note')).rows[0]?.n)

  it('is migrated, and migrating again applies nothing', async () => {
    expect(await pendingMigrations(database)).toEqual([])
    expect(await migrate(database, silent)).toEqual([])
  })

  it('joins the caller’s transaction and takes it back when the work fails', async () => {
    await expect(
      database.transaction(async () => {
        await database.query("INSERT INTO note VALUES ('lost')")
        await database.transaction((client) => client.query("INSERT INTO note VALUES ('lost too')"))
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await count()).toBe(0)
    await database.transaction(() => database.query("INSERT INTO note VALUES ('kept')"))
    expect(await count()).toBe(1)
  })

  it('hears its own notifications', async () => {
    const heard: string[] = []
    const stop = await database.listen('tests', (payload) => heard.push(payload))
    await database.query("SELECT pg_notify('tests', 'hello')")
    await expect.poll(() => heard).toContain('hello')
    await stop()
    await database.query("SELECT pg_notify('tests', 'unheard')")
    expect(heard).not.toContain('unheard')
  })

  it('serves Prisma on the same pool', async () => {
    const prisma = learningClient(database)
    await prisma.learner.create({ data: { id: '1', name: 'Ada', joinedAt: new Date() } })
    expect(await prisma.progress.findMany()).toEqual([])
    expect((await prisma.learner.findMany({ include: { patterns: true } }))[0]?.name).toBe('Ada')
  })

  it('refuses a second connection inside a transaction on the embedded database, instead of waiting for ever', async () => {
    const outside = database.transaction(() => learningClient(database).learner.findMany())
    if (database.embedded) await expect(outside).rejects.toThrow(/second connection|inside a transaction/)
    else await expect(outside).resolves.toHaveLength(1)
  })

  it('keeps the data’s clock', async () => {
    const clock = await createClock(database, {})
    expect(clock.frozenBy).toBeNull()
    await clock.set(new Date('2014-10-01T00:00:00Z'), 'import oulad')
    const again = await createClock(database, {})
    expect(again.now().toISOString()).toBe('2014-10-01T00:00:00.000Z')
    expect(again.frozenBy).toBe('import oulad')
    await again.set(null, 'reset')
    expect(Math.abs(again.now().getTime() - Date.now())).toBeLessThan(5000)
  })
})
