// Pages and counts of 1,000,000 stored scores on PostgreSQL: `node bench/scores/pages.ts [rows]`. See docs/performance.md.
import { randomUUID } from 'node:crypto'
import { graphql } from 'graphql'
import type { Model } from '../../ml/define.ts'
import {
  boundsOf,
  countLevels,
  countScores,
  type RankingPage,
  rankingStatement,
  readRanking,
} from '../../ml/scores/ranking.ts'
import { createScoreStore } from '../../ml/scores/store.ts'
import { localViewer } from '../../platform/viewer.ts'
import { createMlSubgraph } from '../../subgraphs/ml/subgraph.ts'
import { createRandom } from '../../trainer/random.ts'
import { log, openBenchDatabase, printMachine, printRow, quantile, timeRuns } from './stand.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const RUNS = 300
const bands = { LOW: 0, MEDIUM: 0.15, HIGH: 0.4 }
const { database, end } = await openBenchDatabase()
const store = createScoreStore(database)
const random = createRandom(1)

printMachine()
// Most probabilities are small, as for any rare event: the worst case for counting what a bound cuts.
const scoreOf = () => Math.fround(random.next() ** 6)
const written = performance.now()
for (let start = 0; start < rows; start += 5000) {
  const keys = Array.from({ length: Math.min(5000, rows - start) }, (_, index) => ({ id: `L${start + index}` }))
  const probability = keys.map(scoreOf)
  const at = new Date()
  const version = { id: '00000000-0000-4000-8000-000000000000', number: 1 }
  await store.write({
    model: 'churn',
    version,
    asOf: at,
    scoredAt: at,
    keys,
    probability,
    low: probability,
    high: probability,
  })
}
const seconds = (performance.now() - written) / 1000
process.stdout.write(
  `stored ${rows} scores with their history in ${seconds.toFixed(1)} s, one page after the other: ${Math.round(rows / seconds)} rows/s\n`,
)
await database.query('VACUUM ANALYZE inkling."Score"')

const page = (change: Partial<RankingPage> = {}): RankingPage => ({
  model: 'churn',
  tenant: 'default',
  fields: ['id'],
  bounds: [],
  highestFirst: true,
  limit: 21,
  ...change,
})
const PAGE_10000 = Math.min(20 * 9999, rows - 100)
const { rows: deep } = await database.query<{ probability: number; key: string }>(
  `SELECT probability, key FROM inkling."Score" WHERE model = 'churn' ORDER BY probability DESC, key DESC OFFSET $1 LIMIT 22`,
  [PAGE_10000 - 1],
)
const [place, ...expected] = deep
const found = await readRanking(database, page({ after: place }))
const agrees = JSON.stringify(found.map((score) => score.place)) === JSON.stringify(expected)
process.stdout.write(`page 10,000 equals that of a full sort: ${agrees}\n`)
if (!agrees) process.exitCode = 1

for (const [name, asked] of [
  ['first page', page()],
  ['page 10,000', page({ after: place })],
  ['filtered, from the middle', page({ bounds: [{ gte: 0.15 }], after: { probability: 0.3, key: '' } })],
] as const) {
  const { sql, values } = rankingStatement(asked)
  const { rows: plan } = await database.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, BUFFERS) ${sql}`, values)
  process.stdout.write(`\nEXPLAIN of the ${name}\n${plan.map((line) => `  ${line['QUERY PLAN']}`).join('\n')}\n`)
}

const model: Model = {
  name: 'churn',
  entity: 'Learner',
  key: ['id'],
  question: 'Will this learner cancel?',
  features: [{ name: 'x', kind: 'number', says: 'x' }],
  bands,
  schemaHash: 'bench',
  read: async () => [],
  labels: async function* () {},
}
const serving = { championAt: () => ({ version: { id: 'none' } }) }
const subgraph = createMlSubgraph({ database, serving, models: [model], seed: 1 } as never)
async function ask(source: string): Promise<void> {
  const request = { requestId: randomUUID(), viewer: localViewer, now: new Date(), instant: new Date(), log }
  const { errors } = await graphql({ schema: subgraph.schema, source, contextValue: subgraph.contextOf(request) })
  if (errors) throw errors[0]
}
const cursor = Buffer.from(JSON.stringify(['HIGHEST_FIRST', place!.probability, place!.key])).toString('base64url')
const fields = 'edges { score scoredAt isStale node { id } } pageInfo { hasNextPage endCursor }'

process.stdout.write('\n')
printRow(['what', 'p50 ms', 'p95 ms', 'p99 ms'])
printRow(['---', '---:', '---:', '---:'])
const anywhere = () => ({ probability: random.next() ** 6, key: '' })
for (const [name, work] of [
  ['first page of 20', () => readRanking(database, page())],
  ['page 10,000', () => readRanking(database, page({ after: place }))],
  ['a page anywhere', () => readRanking(database, page({ after: anywhere() }))],
  ['first page of a risk level', () => readRanking(database, page({ bounds: [boundsOf('MEDIUM', bands)] }))],
  ['lowest first, page of 100', () => readRanking(database, page({ highestFirst: false, limit: 101 }))],
  ['GraphQL: first page', () => ask(`{ learnersByChurn(first: 20) { ${fields} } }`)],
  ['GraphQL: page 10,000', () => ask(`{ learnersByChurn(first: 20, after: "${cursor}") { ${fields} } }`)],
  [
    'GraphQL: first page with totalCount and counts per risk level',
    () => ask(`{ learnersByChurn(first: 20) { totalCount riskLevels { count } ${fields} } }`),
  ],
  ['totalCount', () => countScores(database, { model: 'churn', tenant: 'default', bounds: [] })],
  [
    'totalCount of probability >= 0.7',
    () => countScores(database, { model: 'churn', tenant: 'default', bounds: [{ gte: 0.7 }] }),
  ],
  [
    'totalCount of probability >= 0.70001, a bound that cuts a bucket',
    () => countScores(database, { model: 'churn', tenant: 'default', bounds: [{ gte: 0.70001 }] }),
  ],
  [
    'totalCount of probability >= 0.0000123, which cuts the fullest bucket',
    () => countScores(database, { model: 'churn', tenant: 'default', bounds: [{ gte: 0.0000123 }] }),
  ],
  ['counts per risk level', () => countLevels(database, { model: 'churn', tenant: 'default', bounds: [] }, bands)],
  [
    'the same by count(*)',
    () => database.query('SELECT count(*) FROM inkling."Score" WHERE model = $1 AND probability >= 0.15', ['churn']),
  ],
] as const) {
  const times = await timeRuns(name.includes('count(*)') ? 20 : RUNS, work)
  printRow([name, quantile(times, 0.5), quantile(times, 0.95), quantile(times, 0.99)])
}
printMachine()
await end()
