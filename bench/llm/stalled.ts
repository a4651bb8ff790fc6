// Readers who never read: each asks for an answer and takes nothing of it. What that costs the gateway in memory, beside as many who read;
// whether the provider is paused once the kernel's buffers are full, and when such a reader is cut. Each row is a process of its own (gateway,
// llm subgraph and router), and so are the readers and the provider.
// Usage: node bench/llm/stalled.ts [readers=1000] [rows=reads,stalls,long]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { signToken } from '../../platform/authentication.ts'
import { openBenchDatabase, printMachine, printRow } from '../scores/stand.ts'
import type { StalledTask } from './stalled-readers.ts'
import { benchConfig, serveLlm, startProvider } from './stand.ts'

const TOO_LONG_MS = 80_000
interface Row {
  readonly says: string
  readonly reads: boolean
  readonly llm: string
  readonly most: number
}
const rows: Readonly<Record<string, Row>> = {
  reads: { says: 'read, 600 tokens', reads: true, llm: 'x:tokens=600,everyMs=20', most: 10_000 },
  stalls: { says: 'never read, 600 tokens', reads: false, llm: 'x:tokens=600,everyMs=20', most: 10_000 },
  readsMore: { says: 'read, 400 KB', reads: true, llm: 'x:tokens=1000,tokenChars=400,everyMs=10', most: 10_000 },
  stallsMore: {
    says: 'never read, 400 KB',
    reads: false,
    llm: 'x:tokens=1000,tokenChars=400,everyMs=10',
    most: 10_000,
  },
  /** Longer than what the kernel takes for who does not read. */
  long: { says: 'never read, 14 MB', reads: false, llm: 'x:tokens=14000,tokenChars=1000', most: 20 },
}

const [, , first = '1000', second = 'reads,stalls,long'] = process.argv
if (process.send) await measure(rows[first]!, Number(second))
else {
  printMachine()
  printRow([
    'readers',
    'who',
    'RSS MB before',
    'while all are read or stalled',
    'at most, to the end',
    'KB a reader',
    'heap MB before / while / after',
    'text written a reader, KB',
    'ended as',
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
async function measure({ says, reads, llm }: Row, count: number): Promise<void> {
  const { database, end } = await openBenchDatabase()
  const provider = await startProvider()
  const served = await serveLlm(database, provider.url, { asked: llm, warm: 'x:tokens=40,everyMs=10' })
  const browsers = fork(fileURLToPath(new URL('./stalled-readers.ts', import.meta.url)), { stdio: 'inherit' })
  const url = `${served.url.replace('http', 'ws')}/graphql`
  const claims = { tenant: 'default', scopes: ['llm:use'], seconds: 3_600 }
  const signed = Array.from({ length: count }, (_, index) =>
    signToken(benchConfig, { ...claims, subject: `viewer-${index}` }),
  )
  const viewers = await Promise.all(signed)
  /** Completions that are over, by how they ended, and the length of their texts. */
  const over = async (target: string) => {
    const { rows: found } = await database.pool.query(
      `SELECT coalesce("finishReason", "state"::text) AS how, count(*)::int AS n, avg(length("text"))::int AS length
       FROM inkling."Completion" WHERE "target" = $1 AND "state" <> 'RUNNING' GROUP BY 1`,
      [target],
    )
    return found as { how: string; n: number; length: number }[]
  }
  const told = (what: string) =>
    new Promise<void>((resolve) => {
      const hear = (message: unknown) => {
        if (message !== what) return
        browsers.off('message', hear)
        resolve()
      }
      browsers.on('message', hear)
    })
  const ask = async (task: Omit<StalledTask, 'url' | 'maxTokens'>) => {
    browsers.send({ url, maxTokens: 1_000_000, ...task } satisfies StalledTask)
    await told('asked')
  }
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  const heap = () => {
    globalThis.gc!()
    return process.memoryUsage().heapUsed / 2 ** 20
  }

  const warm = viewers.slice(0, 20)
  await ask({ viewers: warm, target: 'warm', reads: true })
  while ((await over('warm')).reduce((sum, { n }) => sum + n, 0) < warm.length) await sleep(100)
  await sleep(500)
  const heapBefore = heap()
  const before = process.memoryUsage.rss()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 100)
  await ask({ viewers, target: 'asked', reads })
  const askedAt = performance.now()
  const heapWhile = heap()
  let stalled = 0
  let cutAt: number | null = null
  const open = sockets()
  for (;;) {
    await sleep(250)
    const ended = (await over('asked')).reduce((sum, { n }) => sum + n, 0)
    if (cutAt === null && !reads && sockets() <= open - count) cutAt = performance.now()
    // Before anything is cut, and before the first long answer is written down.
    if (performance.now() - askedAt < 15_000) stalled = most
    if (ended >= count || performance.now() - askedAt > TOO_LONG_MS) break
  }
  clearInterval(watch)
  const ends = await over('asked')
  const growth = stalled - before
  const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  process.send!([
    String(count),
    says,
    mb(before),
    `${mb(stalled)} (+${mb(growth)})`,
    mb(most),
    (growth / 1024 / count).toFixed(0),
    `${heapBefore.toFixed(0)} / ${heapWhile.toFixed(0)} / ${heap().toFixed(0)}`,
    ends.map(({ length }) => (length / 1024).toFixed(0)).join(', '),
    ends.map(({ how, n }) => `${n} ${how}`).join(', '),
    cutAt === null ? '' : ((cutAt - askedAt) / 1_000).toFixed(0),
  ])
  browsers.disconnect()
  await served.end()
  provider.end()
  await end()
  process.disconnect()
}
