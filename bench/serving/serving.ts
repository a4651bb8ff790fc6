// What predictions cost a query, side by side in one run: `node bench/serving/serving.ts [turns] [embedded]`. See docs/performance.md.
import { createApp } from '../../app.ts'
import type { Ground } from '../../cli/ground.ts'
import { inkling } from '../../ml/extension/extension.ts'
import { createPredictionLoader } from '../../ml/loaders.ts'
import { startScoring } from '../../ml/scores/scoring-job.ts'
import { churn } from '../../models/churn.ts'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import { loadConfig } from '../../platform/config.ts'
import { localViewer } from '../../platform/viewer.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { log, openBenchDatabase, printMachine, printRow, quantile } from '../scores/stand.ts'

const turns = Number(process.argv[2] ?? 60)
const { database, end } = await openBenchDatabase(process.argv[3] === 'embedded' ? 'embedded' : 'server')
const config = loadConfig({ LOG_LEVEL: 'error' })
const clock = await createClock(database, config)
const learning = learningClient(database)
const ground: Ground = { config, log, database, clock, learning, artefacts: null, close: () => database.close() }
await seedSchool(database, { seed: 7, learners: 2000, now: clock.now() })
await clock.set(clock.now(), 'the bench compares answers')
// One prediction each: everybody is a member.
await database.query('UPDATE learning."Subscription" SET "startsAt" = \'2000-01-01\', "endsAt" = NULL')
await database.query(`INSERT INTO learning."Subscription" (id, "learnerId", plan, "priceUsd", "startsAt")
  SELECT 'bench-' || l.id, l.id, (enum_range(NULL::learning."Plan"))[1], 10, '2000-01-01' FROM learning."Learner" l
  WHERE NOT EXISTS (SELECT 1 FROM learning."Subscription" s WHERE s."learnerId" = l.id)`)
await database.query('VACUUM ANALYZE')
const app = await createApp(ground)
await app.jobs.start()
for (const jobId of (await app.trainMissing()).values()) await app.jobs.ended(jobId)
await app.serving.refresh()
const scoring = await startScoring({ jobs: app.jobs, models: app.models }, { model: 'churn' }, { viewer: localViewer })
await app.jobs.ended(scoring.id)
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

const { predictionLog } = app.monitoring
const settle = () => predictionLog.flush()
const loader = () =>
  createPredictionLoader({ model: churn, serving: app.serving, client: learning, instant: new Date() })
const answers = await loadAll()
function loadAll() {
  const { load } = loader()
  return Promise.all(pairs.map((pair) => load(pair)))
}
/** What a request leaves behind, written off its path. */
async function remember(): Promise<void> {
  const versionId = served.version.id
  predictionLog.record({ model: churn, tenant: 'default', versionId, answers, asOf: now, servedAt: new Date() })
  await settle()
}

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
      await settle() // what was served is remembered off the request's path: it is a work of its own below
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

/** As if the model file said `freshFor: { hours: 24 }`. */
async function askFresh(query: string): Promise<unknown> {
  Reflect.set(churn, 'freshForMs', 86_400_000)
  const asked = await ask(query)
  Reflect.set(churn, 'freshForMs', undefined) // a property that is deleted would slow down all the others
  return asked
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
    'with an ml field that asks no version': () =>
      ask(
        '{ learners(first: 1000) { nodes { id name country predictions(model: "churn", versions: []) { version } } } }',
      ),
    'with one stored prediction each': () =>
      askFresh('{ learners(first: 1000) { nodes { id name country churnScore } } }'),
    'with one prediction each': () => ask('{ learners(first: 1000) { nodes { id name country churnScore } } }'),
    'the feature read alone': () => churn.read(learning, pairs),
    'onnxruntime alone': () => served.predictor.score(encoded.slice(), eligible.length),
    'remembering 1,000 of them, afterwards': remember,
    'Prisma: findMany': () => learning.learner.findMany({ take: 1000 }),
    'Prisma: withMLMany': () => extended.learner.withMLMany({ take: 1000 }),
  },
  turns,
)
const middle = (name: keyof typeof thousand) => quantile(thousand[name].wall, 0.5)
const added = middle('with one prediction each') - middle('without predictions')
const overhead = added - middle('the feature read alone') - middle('onnxruntime alone')
process.stdout.write('\n')
for (const name of [
  'with an ml field that asks no version',
  'with one stored prediction each',
  'with one prediction each',
] as const)
  process.stdout.write(
    `${name} / without: ${(middle(name) / middle('without predictions')).toFixed(1)} x wall, ${(quantile(thousand[name].cpu, 0.5) / quantile(thousand['without predictions'].cpu, 0.5)).toFixed(1)} x CPU\n`,
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
    'the prediction alone': (turn) => loader().load({ key: { id: idOf(turn) }, asOf: now }),
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
