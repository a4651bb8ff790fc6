import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type FanOut, fanOutOf } from '../../jobs/fan-out.ts'
import { type Database, openDatabase } from '../../platform/database.ts'
import { createServerDatabase, silent } from '../harness.ts'

const server = inject('server')
const NOTIFY = `SELECT pg_notify('inkling_jobs', $1)`

describe.runIf(server && inject('redis'))('processes told by Redis', () => {
  const databases: Database[] = []
  const ends: (() => Promise<void>)[] = []
  let drop: () => Promise<void>
  let url: string
  let redis: { url: string; start(): Promise<void>; kill(): Promise<void> }

  beforeAll(async () => {
    ;({ url, drop } = await createServerDatabase(server))
    redis = await ownRedis()
    for (let process = 0; process < 3; process++) databases.push(await openDatabase({ url, log: silent }))
  })
  afterAll(async () => {
    for (const end of ends) await end()
    for (const database of databases) await database.close()
    await redis.kill()
    await drop()
  })

  /** What each process has heard. */
  const heard: string[][] = []
  async function join(database: Database): Promise<void> {
    const words: string[] = []
    heard.push(words)
    const fanOut: FanOut = await fanOutOf(database, redis.url, silent)
    ends.push(await fanOut.listen((payload) => words.push(payload)))
  }
  async function say(word: string): Promise<void> {
    await databases[0]!.query(NOTIFY, [word])
  }
  /** Says words until every listed process has heard one of them. */
  async function sayUntilHeard(word: string, processes: readonly number[], withinMs = 15_000): Promise<void> {
    const before = processes.map((process) => heard[process]!.length)
    for (const end = Date.now() + withinMs; Date.now() < end; ) {
      await say(word)
      await new Promise((resolve) => setTimeout(resolve, 50))
      if (processes.every((process, at) => heard[process]!.slice(before[at]).includes(word))) return
    }
    throw new Error(
      `"${word}" was not heard by all of ${processes}: ${JSON.stringify(heard.map((words) => words.slice(-3)))}`,
    )
  }

  it('all hear what the database says, though one alone listens to it', async () => {
    for (const database of databases) await join(database)
    await sayUntilHeard('event 1', [0, 1, 2])
    const { rows } = await databases[0]!.query<{ relays: number }>(
      `SELECT count(*)::int AS relays FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707370
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
    expect(rows[0]!.relays).toBe(1)
    const listeners = await databases[0]!.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN "inkling_jobs"%'`,
    )
    expect(listeners.rows[0]!.count).toBe(1)
  })

  it('go on when the relay is gone', async () => {
    await databases[0]!.query(
      `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707370
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
    await sayUntilHeard('event 2', [0, 1, 2])
  })

  it('are told to look at everything after Redis was away', async () => {
    const before = heard.map((words) => words.length)
    await redis.kill()
    await say('event lost')
    await redis.start()
    await sayUntilHeard('event 3', [0, 1, 2])
    for (const [process, words] of heard.entries()) expect(words.slice(before[process])).toContain('')
  })

  it('start without it, and hear once it is there', async () => {
    await redis.kill()
    await join(databases[1]!)
    await redis.start()
    await sayUntilHeard('event 4', [heard.length - 1])
  })
})

/** A Redis of the test's own, to be killed. */
async function ownRedis() {
  const port = await freePort()
  let child: ChildProcess | null = null
  const own = {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      await new Promise<void>((resolve, reject) => {
        child!.once('exit', () => reject(new Error('redis-server ended at once')))
        child!.stdout!.on('data', (text) => String(text).includes('Ready to accept') && resolve())
      })
    },
    async kill() {
      const dying = child
      child = null
      if (!dying) return
      const gone = new Promise((resolve) => dying.once('exit', resolve))
      dying.kill('SIGKILL')
      await gone
    },
  }
  await own.start()
  return own
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
