import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { createServerDatabase, fillTestFolder } from '../harness.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Running {
  readonly process: ChildProcess
  readonly url: string
  output(): string
  end(signal?: NodeJS.Signals): Promise<number | null>
}

/** The real command line in a process of its own, on a database of its own. */
describe('inkling start', { timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'inkling-process-'))
  const dataDir = join(folder, 'rows')
  const secondDir = join(folder, 'same rows')
  const started: ChildProcess[] = []
  let environment: NodeJS.ProcessEnv
  let drop = async () => {}

  beforeAll(async () => {
    const server = inject('server')
    const { url, drop: dropDatabase } = server ? await createServerDatabase(server) : { url: '', drop }
    drop = dropDatabase
    if (!server) fillTestFolder(dataDir)
    environment = {
      ...process.env,
      DATABASE_URL: url,
      INKLING_DATA_DIR: dataDir,
      PORT: '0',
      LOG_LEVEL: 'info',
      INKLING_NOW: '2026-11-20T12:00:00Z', // the simulated rows depend on the day
      HOST: '127.0.0.1',
    }
    const seeded = await command(['seed', '--learners', '160'])
    expect(seeded.output).not.toMatch(/inkling: /)
    expect(seeded.code).toBe(0)
    if (!server) cpSync(dataDir, secondDir, { recursive: true })
  })
  afterEach(() => {
    for (const child of started) child.kill('SIGKILL')
  })
  afterAll(async () => {
    for (const child of started) child.kill('SIGKILL')
    await drop()
    rmSync(folder, { recursive: true, force: true })
  })

  function launch(words: string[], more: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [join(root, 'cli/inkling.js'), ...words], {
      env: { ...environment, ...more },
      cwd: folder,
    })
    started.push(child)
    let output = ''
    child.stdout.on('data', (piece) => {
      output += piece
    })
    child.stderr.on('data', (piece) => {
      output += piece
    })
    const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
    return { child, output: () => output, exited }
  }
  async function command(words: string[], more: NodeJS.ProcessEnv = {}) {
    const { output, exited } = launch(words, more)
    return { code: await exited, output: output() }
  }
  async function start(more: NodeJS.ProcessEnv = {}): Promise<Running> {
    const { child, output, exited } = launch(['start'], more)
    const isOver = exited.then(() => true)
    for (;;) {
      const url = /GraphiQL\s+(http:\S+)\/graphql/.exec(output())?.[1]
      if (url) {
        return {
          process: child,
          url,
          output,
          end(signal = 'SIGTERM') {
            child.kill(signal)
            return exited
          },
        }
      }
      const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), 50))
      if (await Promise.race([isOver, late])) throw new Error(`inkling start ended: ${output()}`)
    }
  }
  const ask = async (url: string, query: string, variables?: object) =>
    (
      await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      })
    ).json()
  const healthy = (url: string) =>
    expect.poll(async () => (await fetch(`${url}/health`)).status, { timeout: 150_000, interval: 200 }).toBe(200)

  it('is healthy once its models are trained, answers, refuses a second process, and drains on SIGTERM', async () => {
    const running = await start()
    expect((await fetch(`${running.url}/health`)).status).toBe(503)
    await healthy(running.url)
    const { data } = await ask(
      running.url,
      '{ learners(first: 100) { nodes { id progress(first: 3) { nodes { struggleProbability } } } } }',
    )
    type Node = { progress: { nodes: { struggleProbability: number | null }[] } }
    const risks = data.learners.nodes.flatMap(({ progress }: Node) =>
      progress.nodes.map((node) => node.struggleProbability),
    )
    expect(risks.some((risk: number | null) => risk !== null)).toBe(true)
    const page = await (await fetch(`${running.url}/graphql`, { headers: { accept: 'text/html' } })).text()
    expect(page).toMatch(/graphiql/i)
    const { port } = new URL(running.url)
    const [second, taken] = await Promise.all([
      command(['models']),
      command(['start'], { PORT: port, INKLING_DATA_DIR: secondDir, INKLING_WORKER: 'off' }),
    ])
    if (!environment.DATABASE_URL) {
      expect(second.code).toBe(1)
      expect(second.output).toMatch(/in use by process \d+/)
    }
    expect(taken.code).toBe(1)
    expect(taken.output).toMatch(new RegExp(`${port}.*(in use|taken)`))

    const asked = ask(
      running.url,
      '{ learners(first: 500) { nodes { churnScore progress(first: 3) { nodes { struggleProbability } } } } }',
    )
    await new Promise((resolve) => setTimeout(resolve, 30))
    const began = Date.now()
    expect(await running.end()).toBe(0)
    expect(Date.now() - began).toBeLessThan(10_000)
    expect((await asked).data.learners.nodes.length).toBeGreaterThan(100)
  })

  it('keeps what it acknowledged when it is killed, and serves the trained versions after the restart', async () => {
    const before = await start()
    await healthy(before.url)
    const { data } = await ask(
      before.url,
      '{ learners(first: 300) { nodes { id progress(first: 1, where: { state: UPCOMING }) { nodes { objectiveId } } } } }',
    )
    const learner = data.learners.nodes.find(
      (node: { progress: { nodes: unknown[] } }) => node.progress.nodes.length > 0,
    )
    const input = { learnerId: learner.id, objectiveId: learner.progress.nodes[0].objectiveId, score: 37.5 }
    const recorded = await ask(
      before.url,
      'mutation R($input: RecordAttemptInput!) { recordAttempt(input: $input) { ... on RecordAttemptPayload { attempt { id score } } } }',
      { input },
    )
    expect(recorded.data.recordAttempt.attempt.score).toBe(37.5)
    await before.end('SIGKILL')
    const after = await start()
    await healthy(after.url)
    expect(after.output()).not.toMatch(/train struggle /)
    const { data: kept } = await ask(
      after.url,
      'query P($l: ID!, $o: ID!) { progress(learnerId: $l, objectiveId: $o) { lastScore } }',
      {
        l: input.learnerId,
        o: input.objectiveId,
      },
    )
    expect(kept.progress.lastScore).toBe(37.5)
    await after.end()
  })

  it('says what is wrong with a database that is not there, a foreign folder, and bad settings, each with the fix', async () => {
    const dead: Server = createServer()
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve))
    const { port } = dead.address() as AddressInfo
    await new Promise((resolve) => dead.close(resolve))
    mkdirSync(join(folder, 'old'))
    writeFileSync(join(folder, 'old', 'PG_VERSION'), '12\n')
    const [down, old, bad] = await Promise.all([
      command(['start'], { DATABASE_URL: `postgres://nobody:secret@127.0.0.1:${port}/none` }),
      command(['models'], { DATABASE_URL: '', INKLING_DATA_DIR: join(folder, 'old') }),
      command(['models'], { PORT: '99999', DATABASE_URL: 'mysql://x', LOG_LEVEL: 'loud' }),
    ])
    expect(down.code).toBe(1)
    expect(down.output).toMatch(/No connection to the database at 127\.0\.0\.1/)
    expect(down.output).not.toContain('secret')

    expect(old.code).toBe(1)
    expect(old.output).toMatch(/written by PostgreSQL 12/)

    expect(bad.code).toBe(1)
    for (const name of ['PORT', 'DATABASE_URL', 'LOG_LEVEL']) expect(bad.output).toContain(name)
  })

  it('explains itself: help, unknown commands, unknown models', async () => {
    const [help, nonsense, unknown] = await Promise.all([
      command(['--help']),
      command(['nonsense']),
      command(['train', 'nope']),
    ])
    expect(help.code).toBe(0)
    for (const name of [
      'start',
      'train',
      'try',
      'verify',
      'score',
      'import',
      'seed',
      'reset',
      'doctor',
      'jobs',
      'models',
      'schema',
    ])
      expect(help.output).toContain(name)
    expect(nonsense.code).toBe(2)
    expect(unknown.code).toBe(1)
    expect(unknown.output).toMatch(/no model "nope".*Models: struggle, withdrawal, churn/s)
  })

  it('prints one JSON object for a training, and exits non-zero for one that has not enough rows', async () => {
    const trained = await command(['train', 'withdrawal', '--quick', '--json'])
    const result = JSON.parse(/^\{.*^\}/ms.exec(trained.output)![0])
    expect(result).toMatchObject({
      model: 'withdrawal',
      metrics: { auc: expect.any(Number), logLoss: expect.any(Number) },
    })
    expect(result.promoted).toBe(trained.code === 0)
    const empty = await command(['reset', '--yes'])
    expect(empty.code).toBe(0)
    const failed = await command(['train', 'churn', '--quick'])
    expect(failed.code).toBe(1)
    expect(failed.output).toMatch(/churn has 0 labelled rows.*needs 200/)
  })
})
