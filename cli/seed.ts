import { createInterface } from 'node:readline/promises'
import { Command, InvalidArgumentError } from 'commander'
import { InklingError } from '../platform/errors.ts'
import { DEFAULT_TENANT } from '../platform/viewer.ts'
import { clearRows, readOrigin } from '../prisma/learning/rows/origin.ts'
import { DEFAULT_LEARNERS, seedSchool } from '../prisma/learning/seed/school.ts'
import { openGround } from './ground.ts'
import { createProgressBar } from './progress-bar.ts'
import { parseWhole } from './try/options.ts'

interface SeedOptions {
  readonly seed?: number
  readonly learners: number
  readonly tenant: string
  readonly json?: boolean
}

/** `inkling seed`: a simulated school in an empty database. */
export function seedCommand(): Command {
  return new Command('seed')
    .summary('fill an empty database with a simulated school')
    .description(
      'Simulates learners week by week for about 400 days that end now and writes what they leave behind: attempts, reviews,\n' +
        'sessions, clicks, payments. The same seed and moment give the same rows; docs/simulated-school.md has the model.',
    )
    .option('--seed <number>', 'which school (default: INKLING_SEED)', parseWhole(0, 2 ** 31 - 1))
    .option('--learners <number>', 'how many learners', parseWhole(50, 100_000), DEFAULT_LEARNERS)
    .option('--tenant <name>', 'whose school it is; other tenants keep theirs', parseTenant, DEFAULT_TENANT)
    .option('--json', 'print the summary as JSON')
    .action(seed)
}

/** The name begins the keys of the tenant's rows. */
function parseTenant(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(text)) return text
  throw new InvalidArgumentError('Expected up to 63 letters, digits, dots, dashes and underscores.')
}

async function seed(options: SeedOptions): Promise<void> {
  const { database, clock, config, close } = await openGround({ quiet: true })
  const bar = createProgressBar('seed')
  try {
    const school = await seedSchool(database, {
      seed: options.seed ?? config.INKLING_SEED,
      learners: options.learners,
      now: clock.now(),
      tenant: options.tenant,
      onProgress: ({ done, total, message }) => bar.update(done, total, message),
    })
    bar.stop()
    const counts = Object.entries(school.rows).map(([table, count]) => `${count.toLocaleString('en')} ${table}`)
    process.stdout.write(
      options.json
        ? `${JSON.stringify(school, null, 2)}\n`
        : `A simulated school of seed ${school.seed}, as of ${school.now}: ${counts.join(', ')}.\n`,
    )
  } finally {
    bar.stop()
    await close()
  }
}

interface ResetOptions {
  readonly yes?: boolean
  readonly json?: boolean
}

/** `inkling reset`: an empty learning domain. */
export function resetCommand(): Command {
  return new Command('reset')
    .summary('remove every row of the learning domain')
    .description(
      'Removes learners, courses and all that belongs to them, simulated, imported or written by hand, and lets the clock of\n' +
        'the data run again. Models, their versions and jobs stay.',
    )
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print the result as JSON')
    .action(reset)
}

async function reset({ yes, json }: ResetOptions): Promise<void> {
  const { database, clock, close } = await openGround({ quiet: true })
  try {
    const origin = await readOrigin(database)
    const { rows } = await database.query<{ count: number }>(
      'SELECT count(*)::int AS "count" FROM "learning"."Learner"',
    )
    const learners = rows[0]!.count
    if (origin !== null && !yes) await confirm(learners)
    await database.transaction(async () => {
      await clearRows(database)
      await clock.set(null, 'reset')
    })
    process.stdout.write(
      json
        ? `${JSON.stringify({ removed: { learners } })}\n`
        : `Removed ${learners.toLocaleString('en')} learners and all their rows.\n`,
    )
  } finally {
    await close()
  }
}

async function confirm(learners: number): Promise<void> {
  const refused = new InklingError('BAD_USER_INPUT', 'Nothing was removed.', 'Say yes when asked, or give --yes.')
  if (!process.stdin.isTTY) throw refused
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await prompt.question(`Remove ${learners.toLocaleString('en')} learners and all their rows? [y/N] `)
  prompt.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw refused
}
