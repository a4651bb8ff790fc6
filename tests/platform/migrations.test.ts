import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { migrate, pendingMigrations } from '../../platform/migrate.ts'
import { openTestDatabase, silent } from '../harness.ts'

const schemas = [
  { schema: 'learning', folder: 'learning' },
  { schema: 'inkling', folder: 'platform' },
]

function migrationsOf(folder: string): { name: string; path: string }[] {
  const root = fileURLToPath(new URL(`../../prisma/${folder}/migrations`, import.meta.url))
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, path: join(root, name) }))
    .sort((a, b) => a.name.localeCompare(b.name))
}

it('has a written way back for every migration, and the way there again', async () => {
  const database = await openTestDatabase()
  for (const { schema, folder } of schemas) {
    const client = await database.pool.connect()
    await client.query(`SET search_path TO "${schema}"`)
    for (const { name, path } of migrationsOf(folder).reverse()) {
      expect(existsSync(join(path, 'down.sql')), `${folder}/${name} has no down.sql`).toBe(true)
      await client.query(readFileSync(join(path, 'down.sql'), 'utf8'))
      await client.query('DELETE FROM _prisma_migrations WHERE migration_name = $1', [name])
    }
    const { rows } = await client.query(
      `SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
       WHERE nspname = $1 AND relkind IN ('r', 'v') AND relname <> '_prisma_migrations'`,
      [schema],
    )
    expect(rows).toEqual([])
    await client.query('RESET search_path')
    client.release()
  }
  const all = schemas.flatMap(({ schema, folder }) => migrationsOf(folder).map(({ name }) => `${schema}/${name}`))
  expect((await pendingMigrations(database)).sort()).toEqual(all.sort())
  expect((await migrate(database, silent)).sort()).toEqual(all.sort())
  await database.close()
})

it('refuses to go on after a migration that failed, and names it', async () => {
  const database = await openTestDatabase()
  await database.query(`UPDATE "learning"._prisma_migrations SET finished_at = NULL`)
  await expect(migrate(database, silent)).rejects.toMatchObject({
    code: 'MIGRATION_FAILED',
    message: expect.stringMatching(/learning\/\d+_learning failed before/),
  })
  await database.close()
})
