import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { defineIsolatedJob } from '../../jobs/isolation.ts'
import type { Database } from '../../platform/database.ts'
import { createServerDatabase, fillTestFolder, openTestDatabase, silent } from '../harness.ts'
import { crunch, pause, quickPulse, testKinds, viewer } from './kinds.ts'
import { startWorker } from './processes.ts'

let database: Database
let jobs: Jobs

beforeAll(async () => {
  database = await openTestDatabase()
  jobs = await createJobs({
    database,
    log: silent,
    kinds: testKinds,
    worker: true,
    concurrency: 4,
    pulse: quickPulse,
  })
  await jobs.start()
})
afterAll(async () => {
  await jobs.stop()
  await database.close()
})

/** Enqueues it and waits until its own process says that it runs; answers with that process's id. */
async function begin(how: string): Promise<{ id: string; pid: number }> {
  const { id } = await jobs.enqueue('crunch', { how }, { viewer })
  let pid = 0
  for await (const event of jobs.events(id)) {
    if (event.type === 'LOG') pid = Number(/pid (\d+)/.exec(String(event.data.message))?.[1])
    if (event.type === 'STEP') break
  }
  return { id, pid }
}
/** A process that has ended may stay in the table until somebody asks for its exit code; that is not living. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    const state = existsSync('/proc/self/stat') ? readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] : ''
    return !state?.startsWith('Z')
  } catch {
    return false
  }
}

describe('an isolated job', () => {
  it('continues after its last step, and everything it says is kept', async () => {
    const { id, pid } = await begin('steps')
    expect(pid).toBeGreaterThan(0)
    expect(pid).not.toBe(process.pid)
    const job = await jobs.ended(id)
    // Steps 1 and 2 were made by the first attempt, step 3 by the second.
    expect(job).toMatchObject({
      state: 'SUCCEEDED',
      attempt: 2,
      result: { sum: 11 + 21 + 32, isElsewhere: true },
      metrics: { sum: 64 },
      costUsd: 0.5,
      progress: { done: 3, total: 3 },
    })
    expect(Buffer.from(await jobs.artifact(id, 'sum.txt')).toString()).toBe('64')
    expect(isAlive(pid)).toBe(false)
  })

  it('computes without end while heartbeats and other jobs go on, and a cancel ends it in under 100 ms', async () => {
    const { id } = await begin('loop')
    const other = await jobs.enqueue('add', { steps: 5, stepMs: 300 }, { viewer })
    expect(await jobs.ended(other.id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 })
    expect(await jobs.get(id)).toMatchObject({ state: 'RUNNING', attempt: 1 }) // silent for longer than silentMs it would be taken over
    await jobs.cancel(id)
    expect(await jobs.ended(id)).toMatchObject({ state: 'CANCELLED' })
    let took = Number.POSITIVE_INFINITY
    for (let round = 0; round < 3 && took >= 100; round++) {
      const { id, pid } = await begin('loop')
      const began = performance.now()
      const cancelled = jobs.cancel(id)
      while (isAlive(pid)) await pause(2)
      took = performance.now() - began
      await cancelled
      await jobs.ended(id)
    }
    expect(took).toBeLessThan(100) // of three tries: others use this machine too
  })

  it.each(['heap', 'buffers'])('that needs too much memory (%s) fails alone, and once', async (how) => {
    const other = await jobs.enqueue('add', { steps: 20, stepMs: 50 }, { viewer })
    const { id } = await begin(how)
    expect(await jobs.ended(id)).toMatchObject({
      state: 'FAILED',
      attempt: 1,
      error: { message: 'The job needed more than its 200 MB of memory.' },
    })
    expect(await jobs.ended(other.id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 })
  })

  it('that ends without a word is tried again, then FAILED', async () => {
    const { id } = await begin('exit')
    expect(await jobs.ended(id)).toMatchObject({
      state: 'FAILED',
      attempt: 2,
      error: { message: 'The process of the job ended by exit code 3 before its work did.' },
    })
  })

  it('waits for its children without a process', async () => {
    const { id, pid } = await begin('family')
    expect(await jobs.ended(id)).toMatchObject({ state: 'SUCCEEDED', result: { child: { sum: 6 }, attempt: 2 } })
    expect(isAlive(pid)).toBe(false)
  })

  it('may listen to its signal and end by itself', async () => {
    const { id } = await begin('tidy')
    await jobs.cancel(id)
    expect(await jobs.ended(id)).toMatchObject({ state: 'CANCELLED' })
  })

  it('is refused less memory than Node needs', () => {
    expect(() => defineIsolatedJob({ ...crunch, module: new URL('file:///none.ts'), memoryMb: 16 })).toThrow(/16 MB/)
  })

  it('whose process is killed from outside is tried again', async () => {
    const { id, pid } = await begin('loop')
    process.kill(pid, 'SIGKILL')
    for await (const event of jobs.events(id)) if (event.type === 'RUNNING' && event.data.attempt === 2) break
    await pause(50)
    await jobs.cancel(id)
    expect(await jobs.ended(id)).toMatchObject({ state: 'CANCELLED', attempt: 2, failures: 1 })
  })

  it('does not outlive its worker, though it listens to nobody', async () => {
    const server = inject('server')
    const folder = mkdtempSync(join(tmpdir(), 'inkling-isolation-'))
    const dataDir = join(folder, 'database')
    const made = server ? await createServerDatabase(server) : null
    if (!made) fillTestFolder(dataDir)
    try {
      const worker = startWorker({ ...(made ? { url: made.url } : { dataDir }), crunch: 'loop' })
      const pid = Number((await worker.says(/pid (\d+)/))[1])
      expect(isAlive(pid)).toBe(true)
      worker.kill('SIGKILL')
      await worker.exited
      for (let tries = 0; tries < 50 && isAlive(pid); tries++) await pause(20)
      expect(isAlive(pid)).toBe(false)
    } finally {
      await made?.drop()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
