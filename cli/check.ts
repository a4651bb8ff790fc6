import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { checkChange, type ModelEffect } from '../ml/check/check.ts'
import { models } from '../models/index.ts'
import { loadConfig } from '../platform/config.ts'
import { openDatabase } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import { createLog } from '../platform/log.ts'
import { migrate, pendingMigrations, readMigration } from '../platform/migrate.ts'

interface Change {
  readonly sql: string
  /** Migrations of ours that the copy must not have yet. */
  readonly without: ReadonlySet<string>
  readonly says: string
}

/** `inkling check`: what a change of the schema does to the models, before it is deployed. */
export function checkCommand(): Command {
  return new Command('check')
    .summary('name the models and features that a schema change touches')
    .description(
      'Applies a change to an empty copy of the schema in memory and tries everything that the models ask of it. Without a path: the migrations that the configured database does not have yet.',
    )
    .argument('[change]', 'a file of SQL, or the folder of one migration')
    .option('--json', 'print the effects as JSON')
    .addHelpText(
      'after',
      `
Examples:
  inkling check
  inkling check prisma/learning/migrations/20261130_rename_score
  npm run prisma -- migrate diff --from-schema old.prisma --to-schema new.prisma --script > change.sql && inkling check change.sql

Exit code 1 when a model can no longer be read or trained, or a column that it reads is dropped or changes its kind.`,
    )
    .action(async (path: string | undefined, { json }: { json?: boolean }) => {
      const change = path === undefined ? await pendingChange() : await readChange(path)
      const log = createLog('error')
      const copy = await openDatabase({ log })
      try {
        await migrate(copy, log, change.without)
        const effects = await checkChange(copy, models, change.sql, { searchPath: 'learning', now: new Date() })
        if (effects.some(({ isBreaking }) => isBreaking)) process.exitCode = 1
        process.stdout.write(json ? `${JSON.stringify(effects, null, 2)}\n` : reportOf(change, effects))
      } finally {
        await copy.close()
      }
    })
}

async function pendingChange(): Promise<Change> {
  const config = loadConfig()
  const log = createLog('error')
  const { DATABASE_URL: url, DATABASE_POOL_SIZE: poolSize, INKLING_DATA_DIR: dataDir } = config
  const database = await openDatabase({ url, poolSize, log, ...(url ? {} : { dataDir }) })
  try {
    const pending = (await pendingMigrations(database)).filter((name) => name.startsWith('learning/'))
    const sql = pending.map(readMigration).join('\n')
    return { sql, without: new Set(pending), says: pending.join(', ') || 'no pending migration' }
  } finally {
    await database.close()
  }
}

async function readChange(path: string): Promise<Change> {
  const found = await stat(path).catch(() => null)
  if (!found) throw new InklingError('NOT_FOUND', `There is nothing at ${path}.`, 'Look at the path.')
  const name = path.replace(/\/+$/, '').split('/').at(-1)!
  if (found.isDirectory() && !(await readdir(path)).includes('migration.sql'))
    throw new InklingError('BAD_USER_INPUT', `${path} holds no migration.sql.`, 'Name the folder of one migration.')
  const sql = await readFile(found.isDirectory() ? join(path, 'migration.sql') : path, 'utf8')
  return { sql, without: new Set([`learning/${name}`]), says: path }
}

function reportOf({ says }: Change, effects: readonly ModelEffect[]): string {
  if (effects.length === 0) return `${says}: touches no model\n`
  const lines = effects.flatMap(({ model, isBreaking, columns, failures }) => [
    `${model}: ${isBreaking ? 'BREAKS' : 'touched'}`,
    ...columns.map(({ column, says, features, parts }) => {
      const readers = features.length > 0 ? `read by ${features.join(', ')}` : `read for ${parts.join(', ')}`
      return `  ${column} ${says}; ${readers}`
    }),
    ...failures.map(({ part, says }) => `  ${part} fail: ${says}`),
  ])
  return `${says}\n${lines.join('\n')}\n`
}
