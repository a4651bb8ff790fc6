import pg from 'pg'
import { describe, expect, inject, it } from 'vitest'
import { openDatabase } from '../../platform/database.ts'
import { createServerDatabase, silent } from '../harness.ts'

const server = inject('server')

/** The embedded database shares our process: there is no connection that could be lost. */
describe.runIf(server)('a server that drops its connections', () => {
  it('fails what was under way, keeps the process, and is back with the next query and notification', async () => {
    const { url, drop } = await createServerDatabase(server)
    const database = await openDatabase({ url, log: silent })
    const heard: string[] = []
    await database.listen('outage', (payload) => heard.push(payload))
    const cut = async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      await client.end()
    }
    const lost = database.transaction(async (client) => {
      await client.query('SELECT 1')
      await cut()
      await client.query('SELECT 2')
    })
    await expect(lost).rejects.toThrow()
    await expect
      .poll(async () => (await database.query<{ n: number }>('SELECT 3 AS n').catch(() => null))?.rows[0]?.n)
      .toBe(3)
    await expect.poll(() => heard, { timeout: 10_000 }).toContain('') // "look again"
    await database.query("SELECT pg_notify('outage', 'back')")
    await expect.poll(() => heard).toContain('back')
    await database.close()
    await drop()
  })
})
