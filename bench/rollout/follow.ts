// How soon processes follow a promotion, under load: `node bench/rollout/follow.ts [moves]`. Two `inkling start` on one PostgreSQL; one is told
// to promote, both are asked all the time. See docs/performance.md.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openBenchDatabase, printMachine, printRow, quantile } from '../scores/stand.ts'

const moves = Number(process.argv[2] ?? 20)
const CLIENTS = 2
const PAUSE_MS = 1000
const root = fileURLToPath(new URL('../..', import.meta.url))
const QUERY = `{ a: learners(first: 40) { nodes { id churn { modelVersion { number } } again: churn { modelVersion { number } } } }
  b: learners(first: 40) { nodes { id churn { modelVersion { number } } } } }`

interface Answer {
  readonly startedAt: number
  readonly endedAt: number
  readonly failure: string | null
  readonly versions: ReadonlySet<number>
}

const { database, url, end } = await openBenchDatabase()
await database.query('SELECT 1')
const children: ChildProcess[] = []
const environment = {
  ...process.env,
  DATABASE_URL: url,
  PORT: '0',
  HOST: '127.0.0.1',
  INKLING_WORKER: 'off',
  LOG_LEVEL: 'info',
}

function launch(...words: string[]): ChildProcess {
  const child = spawn(process.execPath, ['cli/inkling.js', ...words], { cwd: root, env: environment })
  children.push(child)
  return child
}
async function command(...words: string[]): Promise<void> {
  const child = launch(...words)
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`inkling ${words.join(' ')} ended with ${code}`)
}
function start(): Promise<string> {
  const child = launch('start')
  let said = ''
  return new Promise((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`inkling start ended with ${code}: ${said}`)))
    child.stderr!.on('data', (piece) => {
      said += piece
      const found = /GraphiQL\s+(http:\S+)\/graphql/.exec(said)?.[1]
      if (found) resolve(found)
    })
    child.stdout!.resume()
  })
}
// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
async function ask(at: string, query: string): Promise<any> {
  const response = await fetch(`${at}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  })
  return response.json()
}

let isOver = false
async function load(at: string, answers: Answer[]): Promise<void> {
  while (!isOver) {
    const startedAt = performance.now()
    const { data, errors } = await ask(at, QUERY).catch((error) => ({ data: null, errors: String(error) }))
    const versions = new Set<number>()
    for (const { churn, again } of [...(data?.a.nodes ?? []), ...(data?.b.nodes ?? [])])
      for (const field of [churn, again]) if (field) versions.add(field.modelVersion.number)
    answers.push({
      startedAt,
      endedAt: performance.now(),
      failure: errors || versions.size === 0 ? JSON.stringify(errors ?? 'nothing predicted') : null,
      versions,
    })
  }
}
/** Milliseconds from the mutation's answer to the first request from which on every one got the new version; 0: none got the one before. */
function followed(answers: readonly Answer[], number: number, at: number): number {
  const after = answers.filter(({ startedAt }) => startedAt > at).toSorted((a, b) => a.startedAt - b.startedAt)
  const last = after.findLastIndex(({ versions }) => !versions.has(number))
  if (last < 0) return 0
  const next = after[last + 1]
  if (!next) throw new Error(`a process did not follow within ${PAUSE_MS} ms`)
  return next.startedAt - at
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

try {
  await command('seed', '--learners', '400', '--seed', '7')
  for (const seed of ['7', '8']) await command('train', 'churn', '--quick', '--seed', seed)
  const [told, other] = await Promise.all([start(), start()])
  const answers = { told: [] as Answer[], other: [] as Answer[] }
  const clients = Array.from({ length: CLIENTS }, () => [load(told, answers.told), load(other, answers.other)]).flat()
  await pause(3000) // warm
  const since = { told: [] as number[], other: [] as number[] }
  for (let move = 0; move < moves; move++) {
    const number = 1 + (move % 2)
    const { data, errors } = await ask(
      told,
      `mutation { promoteVersion(input: { model: "churn", version: "${number}" }) { __typename ... on Error { message } } }`,
    )
    const at = performance.now() // the mutation has answered
    if (data?.promoteVersion.__typename !== 'PromoteVersionPayload') throw new Error(JSON.stringify(errors ?? data))
    await pause(PAUSE_MS)
    for (const side of ['told', 'other'] as const) {
      since[side].push(followed(answers[side], number, at))
    }
  }
  isOver = true
  await Promise.all(clients)
  printMachine()
  printRow(['process', 'moves', 'median ms', 'max ms', 'requests', 'failed', 'mixed'])
  for (const side of ['told', 'other'] as const) {
    const sorted = since[side].toSorted((a, b) => a - b)
    printRow([
      side === 'told' ? 'that was told' : 'the other',
      String(moves),
      quantile(sorted, 0.5),
      sorted.at(-1)!,
      String(answers[side].length),
      String(answers[side].filter(({ failure }) => failure !== null).length),
      String(answers[side].filter(({ versions }) => versions.size > 1).length),
    ])
  }
} finally {
  isOver = true
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.map((child) => child.exitCode ?? new Promise((resolve) => child.once('close', resolve))))
  await end()
}
