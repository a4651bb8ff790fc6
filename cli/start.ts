import { Command, Option } from 'commander'
import { openRole, type Role, roles } from '../app/roles.ts'
import type { App } from '../app.ts'
import { refuseOpenDoor } from '../platform/authentication.ts'
import { type Config, loadConfig } from '../platform/config.ts'
import { InklingError } from '../platform/errors.ts'
import { readOrigin } from '../prisma/learning/rows/origin.ts'
import { seedSchool } from '../prisma/learning/seed/school.ts'
import { type Ground, openGround } from './ground.ts'
import { createProgressBar } from './progress-bar.ts'

/** `inkling start`: the gateway, its subgraphs and a worker in one process, or one of these by `--role`. */
export function startCommand(): Command {
  return new Command('start')
    .summary('start the gateway, its subgraphs and a worker in this process')
    .description(
      'Opens the database (seeding a simulated school into an empty one), trains what was never trained, and serves\n' +
        'GraphQL and GraphiQL at /graphql and readiness at /health. Ctrl-C ends it gracefully.',
    )
    .addOption(
      new Option('--role <role>', 'what this process is; the parts may run on as many machines as there are')
        .choices(roles)
        .default('all'),
    )
    .action(({ role }: { role: Role }) => (role === 'all' ? startAll() : startRole(role)))
}

/** One part of many, until it is told to stop. */
async function startRole(role: Exclude<Role, 'all'>): Promise<void> {
  const settings = loadConfig()
  if (role !== 'worker') refuseOpenDoor(settings)
  if (!settings.DATABASE_URL) {
    throw new InklingError(
      'CONFIG_INVALID',
      `A ${role} of its own needs a PostgreSQL server; the embedded database belongs to one process.`,
      'Set DATABASE_URL, or start everything in one process with `inkling start`.',
    )
  }
  const ground = await openGround({ quiet: true })
  try {
    const { says, stop } = await openRole(role, ground)
    stopOnSignal(async () => {
      await stop()
      await ground.close()
    }, ground.config.SHUTDOWN_SECONDS + ground.config.DRAIN_SECONDS)
    say(says)
  } catch (error) {
    await ground.close()
    throw error
  }
}

async function startAll(): Promise<void> {
  refuseOpenDoor(loadConfig()) // before anything is opened, seeded or trained
  const ground = await openGround({ quiet: true })
  const { config } = ground
  const { createApp } = await import('../app.ts')
  let app: App | null = null
  try {
    await seedEmpty(ground)
    app = await createApp(ground)
    const server = await app.listen({ host: config.HOST, port: config.PORT })
    say(`${config.NODE_ENV === 'production' ? 'GraphQL ' : 'GraphiQL'}  ${server.url}/graphql   (${whoMayAsk(config)})`)
    stopOnSignal(async () => {
      await server.drain()
      await app!.close()
      await ground.close()
    }, config.SHUTDOWN_SECONDS + config.DRAIN_SECONDS)
    await app.jobs.start()
    await trainMissing(app)
    await app.keepScores()
    say(`ready     ${server.url}/health`)
  } catch (error) {
    await app?.close()
    await ground.close()
    throw error
  }
}

async function seedEmpty({ database, clock, config }: Ground): Promise<void> {
  if ((await readOrigin(database)) !== null) return
  say('The database is empty: seeding a simulated school. (Real rows: `inkling import oulad <folder>`.)')
  const bar = createProgressBar('seed')
  await seedSchool(database, {
    seed: config.INKLING_SEED,
    now: clock.now(),
    onProgress: ({ done, total, message }) => bar.update(done, total, message),
  })
  bar.stop()
}

/** Shows the first training runs; one that fails says why, and the rest of the graph serves all the same. */
async function trainMissing(app: App): Promise<void> {
  for (const [model, jobId] of await app.trainMissing()) {
    const bar = createProgressBar(`train ${model}`)
    for await (const { type, data } of app.jobs.events(jobId)) {
      if (type === 'PROGRESS') bar.update(Number(data.done), Number(data.total ?? 0), String(data.message ?? ''))
    }
    bar.stop()
    const job = await app.jobs.ended(jobId)
    if (job.error) say(`${model} was not trained: ${job.error.message}\n  ${job.error.hint}`)
    await app.serving.refresh()
  }
}

/** SIGTERM and Ctrl-C drain; another a second later, or the time limit, ends at once. (npm passes one Ctrl-C on twice.) */
function stopOnSignal(stop: () => Promise<void>, seconds: number): void {
  let stoppingSince = 0
  const onSignal = () => {
    if (stoppingSince > 0) {
      if (Date.now() - stoppingSince > 1000) process.exit(1)
      return
    }
    stoppingSince = Date.now()
    setTimeout(() => process.exit(1), (seconds + 2) * 1000).unref()
    stop().then(
      () => process.exit(0),
      (error) => {
        console.error(error)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

function whoMayAsk({ INKLING_AUTH_SECRET: secret, INKLING_AUTH_JWKS: jwks }: Config): string {
  if (jwks) return 'every request needs a token of your identity provider'
  if (secret) return 'every request needs a token: inkling token --scope admin'
  return 'no keys: this machine alone may ask, and acts as its administrator'
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
