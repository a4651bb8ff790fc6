// What a client waits for while a subgraph is up, hangs and is down: one gateway that waits two seconds for a subgraph, asked at a
// steady rate whatever it answers, for a list whose scores the failing subgraph holds.
// Usage: node bench/gateway/down.ts [requests a second] [seconds of each state]
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const rate = Number(process.argv[2] ?? 50)
const seconds = Number(process.argv[3] ?? 6)

const script = fileURLToPath(new URL('./target.ts', import.meta.url))
const query = '{ learners(first: 20) { nodes { id name score } } }'
const children: ChildProcess[] = []

async function start<Where>(kind: string, addresses: object = {}): Promise<{ child: ChildProcess; where: Where }> {
  const child = fork(script, [kind, JSON.stringify(addresses)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  children.push(child)
  const [{ where }] = await once(child, 'message')
  return { child, where }
}

interface Asked {
  readonly ms: number
  readonly kind: 'whole' | 'in part, UNAVAILABLE' | 'anything else'
}

async function ask(port: number): Promise<Asked> {
  const began = performance.now()
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  })
  const { data, errors } = await response.json()
  const ms = performance.now() - began
  const isNamed = response.status === 200 && data?.learners.nodes.length === 20 && data.learners.nodes[0].name !== null
  if (isNamed && !errors) return { ms, kind: 'whole' }
  return { ms, kind: isNamed && errors[0].extensions.code === 'UNAVAILABLE' ? 'in part, UNAVAILABLE' : 'anything else' }
}

/** Asks at the rate, and does not wait for answers with the next question. */
async function during(port: number, forSeconds: number): Promise<Asked[]> {
  const asked: Promise<Asked>[] = []
  const began = performance.now()
  for (let at = 0; at < rate * forSeconds; at++) {
    await pause(Math.max(0, began + (at * 1_000) / rate - performance.now()))
    asked.push(ask(port))
  }
  return Promise.all(asked)
}

function summary(asked: readonly Asked[]): Record<string, number> {
  const sorted = asked.map(({ ms }) => ms).toSorted((a, b) => a - b)
  const at = (share: number) =>
    Number(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(1))
  const kinds = Object.fromEntries(
    Object.entries(Object.groupBy(asked, ({ kind }) => kind)).map(([kind, group]) => [kind, group!.length]),
  )
  return { 'p50 ms': at(0.5), 'p95 ms': at(0.95), 'p99 ms': at(0.99), 'longest ms': at(1), ...kinds }
}

const school = await start<Record<string, string>>('subgraphs')
const ml = await start<Record<string, string>>('ml alone')
const { where: port } = await start<number>('hasty gateway', { ...school.where, ...ml.where })
await during(port, 2) // warm

const table: Record<string, Record<string, number>> = {}
table.up = summary(await during(port, seconds))
ml.child.kill('SIGSTOP')
table['hangs: the first 2 s'] = summary(await during(port, 2))
table['hangs: later'] = summary(await during(port, seconds))
ml.child.kill('SIGCONT')
await pause(1_000)
table['goes on'] = summary(await during(port, seconds))
ml.child.kill('SIGKILL')
table['down: the first 2 s'] = summary(await during(port, 2))
table['down: later'] = summary(await during(port, seconds))
console.table(table)
for (const child of children) child.kill('SIGKILL')
