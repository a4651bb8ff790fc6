// Tokens through the gateway: browsers (a process of their own) hold one WebSocket each and ask for one completion; this process is
// gateway, llm subgraph and router; the local provider (a process of its own) writes each answer at 100 tokens a second, a frame and a
// write for each token. CPU of this process per token that arrived, and whether each stream kept its rate, without gap or repeat.
// Usage: node bench/llm/streams.ts [streams=1,50,500] [seconds=15]
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { signToken } from '../../platform/authentication.ts'
import { openBenchDatabase, printMachine, printRow, quantile } from '../scores/stand.ts'
import type { ReaderTask, Seen } from './reader.ts'
import { benchConfig, serveLlm, startProvider } from './stand.ts'

const counts = (process.argv[2] ?? '1,50,500').split(',').map(Number)
const seconds = Number(process.argv[3] ?? 15)
const RATE = 100
const { database, end } = await openBenchDatabase()
const provider = await startProvider()
const tokens = seconds * RATE
const served = await serveLlm(database, provider.url, {
  local: `x:tokens=${tokens},everyMs=${1000 / RATE}`,
})
const reader = fork(fileURLToPath(new URL('./reader.ts', import.meta.url)), { stdio: 'inherit' })
interface Told {
  readonly count: { readonly tokens: number; readonly events: number; readonly cpuMs: number }
  readonly begun: true
  readonly seen: readonly Seen[]
}
/** The next thing of a kind that the browsers tell. */
function told<Kind extends keyof Told>(kind: Kind): Promise<Told[Kind]> {
  return new Promise((resolve) => {
    const hear = (message: Record<Kind, never>) => {
      if (!(kind in message)) return
      reader.off('message', hear)
      resolve(message[kind])
    }
    reader.on('message', hear)
  })
}

/** CPU of another process so far, in milliseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10 // ticks of 10 ms
}
async function look() {
  const { user, system } = process.cpuUsage()
  reader.send('count')
  const { tokens: arrived, events, cpuMs } = await told('count')
  return {
    ...{ arrived, events, own: (user + system) / 1_000, provider: cpuOf(provider.pid), reader: cpuMs },
    at: performance.now(),
  }
}

async function run(streams: number): Promise<void> {
  const rssBefore = process.memoryUsage.rss() / 2 ** 20
  const claims = { tenant: 'default', scopes: ['llm:use'], seconds: 3_600 }
  const signed = Array.from({ length: streams }, (_, index) =>
    signToken(benchConfig, { ...claims, subject: `viewer-${index}` }),
  )
  const viewers = await Promise.all(signed)
  const withinMs = Math.min(streams * 4, 3_000)
  const url = `${served.url.replace('http', 'ws')}/graphql`
  reader.send({ url, viewers, maxTokens: tokens * 3, withinMs } satisfies ReaderTask)
  const ended = told('seen')
  const endsAt = performance.now() + seconds * 1_000
  await told('begun')
  // Once the window has had time to widen, to before the first ends.
  await sleep(3_000)
  const before = await look()
  const restMs = endsAt - 1_000 - performance.now()
  if (restMs < 1_000) console.error(`${streams} streams took too long to begin: the figures of this row say nothing.`)
  await sleep(Math.max(restMs, 1_000))
  const after = await look()
  const rss = process.memoryUsage.rss() / 2 ** 20
  const seen = await ended
  const wall = after.at - before.at
  const arrived = after.arrived - before.arrived
  const share = (name: 'own' | 'provider' | 'reader') => ((after[name] - before[name]) / wall) * 100
  const sorted = (of: (one: Seen) => number) => seen.map(of).sort((a, b) => a - b)
  const rates = sorted(({ lastMs }) => ((tokens - 1) / lastMs) * 1_000)
  const broken = seen.filter(({ isWhole, end: how, tokens: count }) => !isWhole || how !== 'STOP' || count !== tokens)
  for (const { end: how, tokens: count, isWhole } of broken.slice(0, 3)) console.error(how, count, isWhole)
  printRow([
    String(streams),
    Math.round((arrived / wall) * 1_000).toString(),
    ((after.own - before.own) * 1_000) / arrived,
    Math.round(((after.own - before.own) * 1_000) / (after.events - before.events)).toString(),
    `${share('own').toFixed(0)} / ${share('provider').toFixed(0)} / ${share('reader').toFixed(0)} %`,
    arrived / (after.events - before.events),
    `${rates[0]!.toFixed(1)} / ${quantile(rates, 0.5).toFixed(1)}`,
    `${quantile(
      sorted(({ firstMs }) => firstMs),
      0.5,
    ).toFixed(0)} / ${quantile(
      sorted(({ firstMs }) => firstMs),
      0.99,
    ).toFixed(0)}`,
    quantile(
      sorted(({ pauseMs }) => pauseMs),
      0.99,
    ).toFixed(0),
    String(broken.length),
    `${rssBefore.toFixed(0)} / ${rss.toFixed(0)}`,
  ])
}

printMachine()
printRow([
  'streams',
  'tokens/s',
  'CPU us/token',
  'CPU us/event',
  'CPU gateway / provider / browsers',
  'tokens an event',
  'rate, least / median',
  'first token ms, p50 / p99',
  'pause ms, p99',
  'gaps, repeats, broken',
  'RSS MB before / at the end',
])
for (const streams of counts) await run(streams)
printMachine()
reader.disconnect()
await served.end()
provider.end()
await end()
