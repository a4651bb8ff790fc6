// Readers who never read: each asks for an answer and takes no more of it than its first event. What that costs the gateway in memory, beside
// as many who read; whether the provider is paused once the kernel's buffers are full, and when such a reader is cut. Each row is a process
// of its own (gateway, llm subgraph and router), and so are the readers and the provider.
// Usage: node bench/llm/stalled.ts [readers=1000] [rows=reads,stalls,long]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { signToken } from '../../platform/authentication.ts'
import { openBenchDatabase, printMachine, printRow } from '../scores/stand.ts'
import type { StalledTask } from './stalled-readers.ts'
import { benchConfig, serveLlm, startProvider } from './stand.ts'

interface Row {
  readonly says: string
  readonly reads: boolean
  readonly llm: string
  readonly most: number
  /** Whether it is watched until all are cut. */
  readonly isCut?: boolean
}
/** Slow enough that all run at the same time. */
const short = 'x:tokens=600,everyMs=150'
const longer = 'x:tokens=500,tokenChars=800,everyMs=50'
const rows: Readonly<Record<string, Row>> = {
  reads: { says: 'read, 600 tokens', reads: true, llm: short, most: 10_000 },
  stalls: { says: 'never read, 600 tokens', reads: false, llm: short, most: 10_000 },
  readsMore: { says: 'read, 400 KB', reads: true, llm: longer, most: 10_000 },
  stallsMore: { says: 'never read, 400 KB', reads: false, llm: longer, most: 10_000 },
  /** Longer than what the kernel takes for who does not read. */
  long: { says: 'never read, 15 MB', reads: false, llm: 'x:tokens=15000,tokenChars=1000', most: 20, isCut: true },
}
const TOO_LONG_MS = 45_000

const [, , first = '1000', second = 'reads,stalls,long'] = process.argv
if (process.send) await measure(rows[first]!, Number(second))
else {
  printMachine()
  printRow([
    'readers',
    'who',
    'RSS MB before',
    'while all are at it',
    'KB a reader',
    'live heap MB before / while',
    'written a reader, KB',
    'cut after s',
  ])
  for (const name of second.split(',')) {
    const readers = Math.min(Number(first), rows[name]!.most)
    const child = fork(fileURLToPath(import.meta.url), [name, String(readers)], { execArgv: ['--expose-gc'] })
    const [row] = (await once(child, 'message')) as [string[]]
    printRow(row)
    await once(child, 'exit')
  }
  printMachine()
}

/** Runs in a process of its own. */
async function measure({ says, reads, llm, isCut = false }: Row, count: number): Promise<void> {
  const { database, end } = await openBenchDatabase()
  const provider = await startProvider()
  const llms = { asked: llm, warm: 'x:tokens=40,everyMs=10' }
  // Without a grace what was not taken is written down as soon as its reader has been cut.
  const served = await serveLlm(database, provider.url, llms, { graceMs: isCut ? 0 : 15_000 })
  const browsers = fork(fileURLToPath(new URL('./stalled-readers.ts', import.meta.url)), { stdio: 'inherit' })
  const url = `${served.url.replace('http', 'ws')}/graphql`
  const claims = { tenant: 'default', scopes: ['llm:use'], seconds: 3_600 }
  const signed = Array.from({ length: count }, (_, index) =>
    signToken(benchConfig, { ...claims, subject: `viewer-${index}` }),
  )
  const viewers = await Promise.all(signed)
  const ended = async (target: string) => {
    const sql = `SELECT length("text") AS length FROM inkling."Completion" WHERE "target" = $1 AND "state" <> 'RUNNING'`
    return (await database.pool.query<{ length: number }>(sql, [target])).rows
  }
  const ask = async (task: Omit<StalledTask, 'url' | 'maxTokens'>) => {
    browsers.send({ url, maxTokens: 1_000_000, ...task } satisfies StalledTask)
    await once(browsers, 'message')
  }
  const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  const liveHeap = () => {
    globalThis.gc!()
    return mb(process.memoryUsage().heapUsed)
  }

  const warm = viewers.slice(0, 20)
  await ask({ viewers: warm, target: 'warm', reads: true })
  while ((await ended('warm')).length < warm.length) await sleep(100)
  const heapBefore = liveHeap()
  const before = process.memoryUsage.rss()
  await ask({ viewers, target: 'asked', reads })
  const begunAt = performance.now()
  await sleep(3_000)
  const growth = process.memoryUsage.rss() - before
  const heapWhile = liveHeap()
  let texts = await ended('asked')
  while (isCut && texts.length < count && performance.now() - begunAt < TOO_LONG_MS) {
    await sleep(200)
    texts = await ended('asked')
  }
  const cutAt = performance.now()
  const sizes = texts.map(({ length }) => length / 1024).sort((a, b) => a - b)
  process.send!([
    String(count),
    says,
    mb(before),
    `${mb(before + growth)} (+${mb(growth)})`,
    (growth / 1024 / count).toFixed(0),
    `${heapBefore} / ${heapWhile}`,
    isCut ? `${sizes[0]?.toFixed(0)}..${sizes.at(-1)?.toFixed(0)}` : '',
    !isCut ? '' : texts.length < count ? 'not all were' : ((cutAt - begunAt) / 1_000).toFixed(0),
  ])
  browsers.disconnect()
  await served.end()
  provider.end()
  await end()
  process.disconnect()
}
