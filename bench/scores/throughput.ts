// Scoring throughput of a 30-feature boosted model: `node bench/scores/throughput.ts [rows]`. See docs/performance.md.
import { createJobs } from '../../jobs/engine.ts'
import type { FeatureValue, KeyValues, LabelRow, Model } from '../../ml/define.ts'
import { countScores } from '../../ml/scores/ranking.ts'
import { scoringJob, startScoring } from '../../ml/scores/scoring-job.ts'
import { createServing } from '../../ml/serving.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import { learningClient } from '../../platform/clients.ts'
import { localViewer } from '../../platform/viewer.ts'
import { createRegistry } from '../../registry/registry.ts'
import { log, openBenchDatabase, printMachine, printRow } from './stand.ts'

const rows = Number(process.argv[2] ?? 300_000)
const FEATURES = 30
const now = new Date('2026-06-01')
const { database, end } = await openBenchDatabase()
const client = learningClient(database)

const names = Array.from({ length: FEATURES }, (_, index) => `f${index}`)
const columns = names.map((name) => `${name} float8`).join(', ')
const drawn = names.map((_, index) => (index % 5 === 4 ? 'floor(random() * 8)' : 'random() * 10')).join(', ')
await database.query(`CREATE TABLE public.wide (id int PRIMARY KEY, ${columns}, y int)`)
await database.query('SELECT setseed(0.5)')
await database.query(`INSERT INTO public.wide SELECT i, ${drawn}, 0 FROM generate_series(1, ${rows}) i`)
// Steps and interactions, which trees are for.
await database.query(`UPDATE public.wide SET y = ((CASE WHEN f0 * f1 > 40 THEN 2 ELSE 0 END + CASE WHEN abs(f2 - 5) > 3 THEN 1.5 ELSE 0 END
  + CASE WHEN f4 IN (1, 3) THEN 1 ELSE 0 END + sin(f3) + random() * 2) > 3.4)::int`)
await database.query('VACUUM ANALYZE public.wide')

const model: Model = {
  name: 'wide',
  entity: 'Wide',
  key: ['id'],
  question: 'Is y 1?',
  features: names.map((name, index) => ({ name, kind: index % 5 === 4 ? 'category' : 'number', says: name })),
  bands: { LOW: 0, MEDIUM: 0.3, HIGH: 0.6 },
  schemaHash: 'bench',
  async read(sql, pairs) {
    const found = await sql.$queryRawUnsafe<Record<string, number>[]>(
      `SELECT ${names.map((name, index) => (index % 5 === 4 ? `w.${name}::text` : `w.${name}`)).join(', ')}
       FROM unnest($1::int[]) WITH ORDINALITY p(id, n) LEFT JOIN public.wide w ON w.id = p.id ORDER BY p.n`,
      pairs.map(({ key }) => Number(key.id)),
    )
    return found.map((row) => ({ eligible: true, values: names.map((name) => row[name] as FeatureValue) }))
  },
  async *labels(sql) {
    for (let after = 0; after < 20_000; after += 5000) {
      const found = await sql.$queryRawUnsafe<{ id: number; y: number }[]>(
        `SELECT id, y FROM public.wide WHERE id > ${after} AND id <= ${after + 5000} ORDER BY id`,
      )
      yield found.map(({ id, y }): LabelRow => ({ key: { id }, asOf: new Date(now.getTime() - id * 60_000), label: y }))
    }
  },
  candidates: (sql, { after, limit }) =>
    sql.$queryRawUnsafe<KeyValues[]>(
      'SELECT id FROM public.wide WHERE id > $1::int ORDER BY id LIMIT $2::int',
      Number(after?.id ?? 0),
      limit,
    ),
}

const registry = createRegistry(database)
const trained = await trainVersion(model, { client, now, seed: 1, candidates: 'quick' })
await registerVersion(registry, trained, { promote: 'always', createdBy: 'bench' })
const serving = await createServing({ registry, models: [model], log })
const { encoder, predictor } = serving.championAt(model, new Date())
printMachine()
process.stdout.write(
  `${trained.contents.learner}, ${FEATURES} features, ${(trained.artefact.onnx.length / 1024).toFixed(0)} KB of ONNX\n\n`,
)
printRow(['what', 'rows/s', 'CPU us/row'])
printRow(['---', '---:', '---:'])

const PAGE = 5000
const pageOf = (start: number) =>
  Array.from({ length: PAGE }, (_, index) => ({ key: { id: start + index + 1 }, asOf: now }))
const values = (await model.read(client, pageOf(0))).map((row) => row.values)

/** The middle of five runs over 200,000 rows, and what each row cost this process's threads, which a busy machine changes less. */
async function measure(name: string, run: () => Promise<void> | void): Promise<void> {
  await run()
  const rates: number[] = []
  const cpu = process.cpuUsage()
  for (let turn = 0; turn < 5; turn++) {
    const began = performance.now()
    await run()
    rates.push((200_000 / (performance.now() - began)) * 1000)
  }
  const { user, system } = process.cpuUsage(cpu)
  printRow([name, Math.round(rates.sort((a, b) => a - b)[2]!).toLocaleString('en'), (user + system) / 1_000_000])
}
function encode(): Float32Array {
  const target = new Float32Array(PAGE * encoder.width)
  for (let row = 0; row < PAGE; row++) encoder.write(target, row, values[row]!)
  return target
}
await measure('encode alone', () => {
  for (let start = 0; start < 200_000; start += PAGE) encode()
})
const encoded = encode()
await measure('ONNX alone, on its thread', async () => {
  for (let start = 0; start < 200_000; start += PAGE) await predictor.score(encoded.slice(), PAGE)
})
await measure('encode + ONNX, three pages under way', async () => {
  const running: Promise<unknown>[] = []
  for (let start = 0; start < 200_000; start += PAGE) {
    running.push(predictor.score(encode(), PAGE))
    if (running.length > 3) await running.shift()
  }
  await Promise.all(running)
})
await measure('read of PostgreSQL rows through Prisma, three pages under way', async () => {
  const running: Promise<unknown>[] = []
  for (let start = 0; start < 200_000; start += PAGE) {
    running.push(model.read(client, pageOf(start % rows)))
    if (running.length > 3) await running.shift()
  }
  await Promise.all(running)
})

const engines = { database, serving, clock: { now: () => now }, client, models: [model] }
const jobs = await createJobs({ database, log, worker: true, kinds: [scoringJob(engines)] })
await jobs.start()
for (const name of [
  'end to end: the scoring job, rows to stored scores, nothing stored before',
  'the same, replacing what is stored',
]) {
  const cpu = process.cpuUsage()
  const { id } = await startScoring({ jobs, models: [model] }, { model: 'wide' }, { viewer: localViewer })
  const job = await jobs.ended(id)
  const seconds = (job.endedAt!.getTime() - job.startedAt!.getTime()) / 1000
  if (
    job.state !== 'SUCCEEDED' ||
    (await countScores(database, { model: 'wide', tenant: 'default', bounds: [] })) !== rows
  )
    throw new Error(JSON.stringify(job.error))
  const { user, system } = process.cpuUsage(cpu)
  printRow([name, Math.round(rows / seconds).toLocaleString('en'), (user + system) / rows])
}
printMachine()
await jobs.stop()
await serving.close()
await client.$disconnect()
await end()
