// A worker as a process of its own: node child.ts '{"url" | "dataDir", "name", "enqueue"}'. Says on stdout, a line each, what happens.
import { z } from 'zod'
import { createJobs } from '../../jobs/engine.ts'
import { fanOutOf } from '../../jobs/fan-out.ts'
import { defineJob } from '../../jobs/kind.ts'
import { openDatabase } from '../../platform/database.ts'
import { createLog } from '../../platform/log.ts'
import { migrate } from '../../platform/migrate.ts'
import { crunch as crunchKind, pause, testKinds, viewer } from './kinds.ts'

const { url, dataDir, name, enqueue, pulse, freezeAt, crunch, kinds, redis } = JSON.parse(process.argv[2]!)
const log = createLog(process.env.LOG_LEVEL ?? 'silent')
const database = await openDatabase({ url, dataDir, log, poolSize: 4 })
await migrate(database, log)

/** Every step leaves an effect in its own commit; a second one for the same step would be a double run. */
const effects = defineJob({
  name: 'effects',
  input: z.object({ steps: z.number().int(), stepMs: z.number() }),
  retry: { attempts: 100, delayMs: 50, maxDelayMs: 200 },
  async run(context, { steps, stepMs }) {
    let sum = 0
    for (let step = 1; step <= steps; step++) {
      sum += await context.step(
        `step ${step}`,
        async () => {
          console.log(`began ${context.job.id} ${step} ${context.attempt}`)
          await pause(stepMs, context.signal)
          return step
        },
        async (value, client) => {
          await client.query('INSERT INTO public.effect (job, step, attempt, pid) VALUES ($1, $2, $3, $4)', [
            context.job.id,
            value,
            context.attempt,
            process.pid,
          ])
          // Frozen while its transaction holds the job's row: the worst moment.
          if (value === freezeAt && context.attempt === 1) process.kill(process.pid, 'SIGSTOP')
        },
      )
      context.progress({ done: step, total: steps })
    }
    return { sum }
  },
  async ended(job) {
    console.log(`ended ${job.id} ${job.state}`)
  },
})

await database.query('CREATE TABLE IF NOT EXISTS public.effect (job uuid, step int, attempt int, pid int)')
const jobs = await createJobs({
  database,
  log,
  kinds: kinds === 'test' ? testKinds : [effects, crunchKind],
  worker: true,
  workerName: name,
  pulse,
  concurrency: 4,
  fanOut: await fanOutOf(database, redis, log),
})
await jobs.start()
console.log('started')
for (const input of enqueue ?? []) {
  const { id } = await jobs.enqueue('effects', input, { viewer })
  console.log(`enqueued ${id}`)
}
console.log('all enqueued')
if (crunch) {
  const { id } = await jobs.enqueue('crunch', { how: crunch }, { viewer })
  for await (const { type, data } of jobs.events(id)) if (type === 'LOG') console.log(data.message)
}
process.on('SIGTERM', async () => {
  await jobs.stop({ graceMs: 100 })
  await database.close()
  console.log('stopped')
})
