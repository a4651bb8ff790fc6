// What predictions cost a query, side by side in one run: `node bench/serving/serving.ts [turns]`. See docs/performance.md.
import { createApp } from '../../app.ts'
import type { Ground } from '../../cli/ground.ts'
import { inkling } from '../../ml/extension/extension.ts'
import { createPredictionLoader } from '../../ml/loaders.ts'
import { churn } from '../../models/churn.ts'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import { loadConfig } from '../../platform/config.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { log, openBenchDatabase, printMachine, printRow, quantile } from '../scores/stand.ts'

const turns = Number(process.argv[2] ?? 60)
const { database, end } = await openBenchDatabase()
const config = loadConfig({ LOG_LEVEL: 'error' })
const clock = await createClock(database, config)
const learning = learningClient(database)
const ground: Ground = { config, log, database, clock, learning, artefacts: null, close: () => database.close() }
await seedSchool(database, { seed: 7, learners: 2000, now: clock.now() })
await clock.set(clock.now(), 'the bench compares answers')
await database.query('VACUUM ANALYZE')
const app = await createApp(ground)
await app.jobs.start()
for (const jobId of (await app.trainMissing()).values()) await app.jobs.ended(jobId)
await app.serving.refresh()
await app.jobs.stop() // its heartbeat would be in the figures

let requests = 0
/** A new operation each time: loaders live as long as one. */
async function ask(query: string): Promise<Record<string, unknown>> {
  const operation = await app.gateway.open({ transport: 'http', headers: {}, requestId: `bench-${requests++}` })
  const result = await app.gateway.run(operation, { query })
  if (!('data' in result) || !result.data || result.errors) throw new Error(JSON.stringify(result))
  return result.data
}
const { rows: members } = await database.query<{ id: string }>(
  'SELECT id FROM learning."Learner" ORDER BY id LIMIT 1000',
)
const now = clock.now()
const pairs = members.map(({ id }) => ({ key: { id }, asOf: now }))
const served = app.serving.championAt(churn, new Date())
const read = await churn.read(learning, pairs)
const eligible = read.filter((row) => row.eligible)
const encoded = new Float32Array(eligible.length * served.encoder.width)
for (const [at, { values }] of eligible.entries()) served.encoder.write(encoded, at, values)

const extended = learning.$extends(inkling({ models: [churn], serving: app.serving, now: () => now }))

interface Figure {
  readonly wall: number[]
  readonly cpu: number[]
}
/** Runs works in turns, so that whatever else the machine does hits all of them alike. Milliseconds, sorted; CPU of this process. */
async function sideBySide<Name extends string>(works: Record<Name, (turn: number) => Promise<unknown>>, times: number) {
  const figures = Object.fromEntries(
    Object.keys(works).map((name) => [name, { wall: [], cpu: [] }]),
  ) as unknown as Record<Name, Figure>
  const warm = Math.ceil(times / 5)
  for (let turn = -warm; turn < times; turn++) {
    for (const name of Object.keys(works) as Name[]) {
      const cpu = process.cpuUsage()
      const began = performance.now()
      await works[name](turn)
      const wall = performance.now() - began
      const spent = process.cpuUsage(cpu)
      if (turn < 0) continue
      figures[name].wall.push(wall)
      figures[name].cpu.push((spent.user + spent.system) / 1000)
    }
  }
  for (const name of Object.keys(works) as Name[]) {
    const { wall, cpu } = figures[name]
    wall.sort((a, b) => a - b)
    cpu.sort((a, b) => a - b)
    printRow([name, quantile(wall, 0.5), quantile(wall, 0.95), quantile(wall, 0.99), quantile(cpu, 0.5)])
  }
  return figures
}

printMachine()
process.stdout.write(
  `${eligible.length} of 1,000 learners are members; ${served.version.contents.learner}, ${served.encoder.width} features\n\n`,
)
printRow(['1,000 learners', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms (p50)'])
printRow(['---', '---:', '---:', '---:', '---:'])
const thousand = await sideBySide(
  {
    'without predictions': () => ask('{ learners(first: 1000) { nodes { id name country } } }'),
    'with one prediction each': () => ask('{ learners(first: 1000) { nodes { id name country churnScore } } }'),
    'the feature read alone': () => churn.read(learning, pairs),
    'onnxruntime alone': () => served.predictor.score(encoded.slice(), eligible.length),
    'Prisma: findMany': () => learning.learner.findMany({ take: 1000 }),
    'Prisma: withMLMany': () => extended.learner.withMLMany({ take: 1000 }),
  },
  turns,
)
const middle = (name: keyof typeof thousand) => quantile(thousand[name].wall, 0.5)
const added = middle('with one prediction each') - middle('without predictions')
const overhead = added - middle('the feature read alone') - middle('onnxruntime alone')
process.stdout.write(
  `\nwith / without: ${(middle('with one prediction each') / middle('without predictions')).toFixed(2)} x\n`,
)
process.stdout.write(
  `added: ${added.toFixed(1)} ms, of it neither feature read nor onnxruntime: ${((100 * overhead) / added).toFixed(0)} %\n\n`,
)

printRow(['one learner by key', 'p50 ms', 'p95 ms', 'p99 ms', 'CPU ms (p50)'])
printRow(['---', '---:', '---:', '---:', '---:'])
const idOf = (turn: number) => members[Math.abs(turn) % members.length]!.id
const single = await sideBySide(
  {
    'gateway: without': (turn) => ask(`{ learner(id: "${idOf(turn)}") { id name } }`),
    'gateway: with its prediction': (turn) => ask(`{ learner(id: "${idOf(turn)}") { id name churnScore } }`),
    'Prisma: findUnique': (turn) => learning.learner.findUnique({ where: { id: idOf(turn) } }),
    'Prisma: withML': (turn) => extended.learner.withML({ where: { id: idOf(turn) } }),
    'the prediction alone': (turn) =>
      createPredictionLoader({ model: churn, serving: app.serving, client: learning, instant: new Date() }).load({
        key: { id: idOf(turn) },
        asOf: now,
      }),
  },
  turns * 10,
)
const ratio =
  quantile(single['gateway: with its prediction'].wall, 0.5) / quantile(single['gateway: without'].wall, 0.5)
process.stdout.write(`\nwith / without: ${ratio.toFixed(2)} x\n`)
printMachine()
await app.close()
await learning.$disconnect()
await end()
