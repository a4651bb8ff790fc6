// One process of a fault run: node actor.ts '{"url" | "dataDir", "name", "seed", "worker", "pulse", "skewMs"}'. It is a client that enqueues,
// cancels and retries at random, and a worker where it is told so. What was acknowledged is said on stdout, a line each: writes to a pipe
// are synchronous, so a kill does not take back what was said. "quiet" on stdin ends the requests, SIGTERM the process.
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { isPassingError } from '../../jobs/context.ts'
import { createJobs } from '../../jobs/engine.ts'
import { defineJob } from '../../jobs/kind.ts'
import { openDatabase } from '../../platform/database.ts'
import { isInklingError, messageOf } from '../../platform/errors.ts'
import { createLog } from '../../platform/log.ts'
import { migrate } from '../../platform/migrate.ts'
import { createRandom } from '../../trainer/random.ts'
import { EFFECT_TABLE, isOver, type Said } from './history.ts'

const { url, dataDir, name, seed, worker, pulse, skewMs = 0, paceMs } = JSON.parse(process.argv[2]!)
const random = createRandom(seed)
const viewer = { id: name, tenant: `tenant ${seed % 2}`, scopes: [] }

// The clock of this machine is wrong. Nothing durable may depend on it.
const realNow = Date.now
globalThis.Date = class extends Date {
  static override now = () => realNow() + skewMs
  constructor(...given: []) {
    if (given.length === 0) super(realNow() + skewMs)
    else super(...given)
  }
} as DateConstructor

const effects = defineJob({
  name: 'effects',
  input: z.object({ steps: z.number().int(), stepMs: z.number(), trouble: z.number() }),
  retry: { attempts: 5, delayMs: 50, maxDelayMs: 400 },
  async run(context, { steps, stepMs, trouble }) {
    let sum = 0
    for (let step = 1; step <= steps; step++) {
      sum += await context.step(
        `step ${step}`,
        async () => {
          await pause(stepMs, undefined, { signal: context.signal })
          if (Math.random() < trouble) throw new Error('bad luck')
          return step
        },
        async (_value, client) => {
          await client.query('INSERT INTO public.effect (job, step, attempt) VALUES ($1, $2, $3)', [
            context.job.id,
            `step ${step}`,
            context.attempt,
          ])
        },
      )
      context.progress({ done: step, total: steps })
    }
    return { sum }
  },
})

const family = defineJob({
  name: 'family',
  input: z.object({ children: z.number().int() }),
  retry: { attempts: 5, delayMs: 50, maxDelayMs: 400 },
  async run(context, { children }) {
    const made = []
    for (let child = 1; child <= children; child++)
      made.push(await context.child('effects', { steps: 2, stepMs: 20, trouble: 0 }, { key: `child ${child}` }))
    return { states: (await context.join(made)).map((job) => job.state) }
  },
})

function say(line: Said): void {
  console.log(JSON.stringify(line))
}

const log = createLog(process.env.LOG_LEVEL ?? 'silent')
const database = await openDatabase({ url, dataDir, log })
await migrate(database, log)
await database.query(EFFECT_TABLE)
const jobs = await createJobs({
  database,
  log,
  kinds: [effects, family],
  worker,
  workerName: name,
  concurrency: 4,
  quota: 10_000,
  pulse,
})
await jobs.start()
say({ op: 'ready' })

let isQuiet = false
let isEnding = false
process.stdin.on('data', () => {
  isQuiet = true
})
process.on('SIGTERM', () => {
  isEnding = true
})

/** Half of the time one that is not over yet. */
async function anyJob(): Promise<string | null> {
  const open = random.next() < 0.5 ? `WHERE state NOT IN ('SUCCEEDED', 'FAILED', 'CANCELLED')` : ''
  const { rows } = await database.query<{ id: string }>(
    `SELECT id FROM inkling."Job" ${open} ORDER BY random() LIMIT 1`,
  )
  return rows[0]?.id ?? null
}

async function enqueueOne(): Promise<void> {
  const chance = random.next()
  const key = random.next() < 0.3 ? `key ${random.below(40)}` : null
  const after = random.next() < 0.12 ? await anyJob() : null
  const options = {
    viewer,
    priority: random.below(3) - 1,
    idempotencyKey: key ?? undefined,
    startAfter: random.next() < 0.12 ? new Date(realNow() + random.below(1500)) : undefined,
    after: after ? [after] : undefined,
  }
  const made =
    chance < 0.12
      ? await jobs.enqueue('family', { children: 1 + random.below(3) }, options)
      : await jobs.enqueue(
          'effects',
          { steps: 1 + random.below(6), stepMs: random.below(150), trouble: random.next() < 0.3 ? 0.4 : 0 },
          options,
        )
  say({ op: 'enqueue', id: made.id, key: key && `${made.tenant} ${made.kind} ${key}` })
}

async function steerOne(): Promise<void> {
  const id = await anyJob()
  if (!id) return
  const op = random.next() < 0.6 ? 'cancel' : 'retry'
  const { state } = await jobs[op](id)
  say({ op, id, state })
}

/** The refusals that a client must expect, whatever the moment. */
const expected = new Set(['JOB_STATE', 'JOB_UNKNOWN', 'TOO_MANY_JOBS'])

while (!isEnding) {
  await pause(isQuiet ? 500 : random.below(2 * paceMs))
  if (isQuiet) {
    if (await isOver(database).catch(() => false)) say({ op: 'settled', by: name })
    continue
  }
  try {
    await (random.next() < 0.65 ? enqueueOne() : steerOne())
  } catch (error) {
    if (isInklingError(error) && expected.has(error.code)) say({ op: 'refused', code: error.code })
    else if (isPassingError(error)) say({ op: 'refused', code: 'CONNECTION' })
    else say({ op: 'wrong', message: messageOf(error) })
  }
}
await jobs.stop({ graceMs: 200 })
await database.close()
process.stdin.destroy()
