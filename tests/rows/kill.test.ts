import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { openDatabase } from '../../platform/database.ts'
import { readOrigin } from '../../prisma/learning/rows/origin.ts'
import { createServerDatabase, fillTestFolder, silent } from '../harness.ts'
import { writeSample } from './sample.ts'

const filling = fileURLToPath(new URL('filling.ts', import.meta.url))
const server = inject('server')
let folder: string
let where: string
let drop: () => Promise<void>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inkling-kill-'))
  if (!server) fillTestFolder(join(folder, 'data'))
  const created = server ? await createServerDatabase(server) : { url: join(folder, 'data'), drop: async () => {} }
  where = created.url
  drop = created.drop
})
afterEach(async () => {
  await drop()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a filling and, when asked, kills it without warning as soon as half is done. Returns what it said. */
async function fill(given: readonly string[], isKilled: boolean): Promise<{ said: string; signal: string | null }> {
  const child = spawn(process.execPath, [filling, where, ...given], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (piece) => {
    said += piece
    if (isKilled && said.includes('half')) child.kill('SIGKILL')
  })
  const signal = await new Promise<string | null>((resolve) => child.on('close', (_code, by) => resolve(by)))
  return { said, signal }
}

async function look(): Promise<{ origin: unknown; learners: number; attempts: number }> {
  const database = await openDatabase({
    ...(where.startsWith('postgres') ? { url: where } : { dataDir: where }),
    log: silent,
  })
  try {
    const { rows } = await database.query<{ learners: number; attempts: number }>(
      `SELECT (SELECT count(*)::int FROM "learning"."Learner") AS "learners", (SELECT count(*)::int FROM "learning"."Attempt") AS "attempts"`,
    )
    return { origin: await readOrigin(database), ...rows[0]! }
  } finally {
    await database.close()
  }
}

async function survives(given: readonly string[], origin: object): Promise<void> {
  const killed = await fill(given, true)
  expect(killed).toMatchObject({ signal: 'SIGKILL' })
  expect(killed.said).not.toContain('done')
  expect(await look()).toEqual({ origin: null, learners: 0, attempts: 0 })
  expect((await fill(given, false)).said).toContain('done')
  expect(await look()).toMatchObject(origin)
}

it('leaves nothing of a school that was killed half-way, and fills it when started again', {
  timeout: 180_000,
}, async () => {
  await survives(['school'], { origin: { source: 'simulated' }, learners: 400 })
})

it('leaves nothing of an import that was killed half-way, and ends it when started again', {
  timeout: 180_000,
}, async () => {
  const tables = join(folder, 'tables')
  const students = Array.from({ length: 5_000 }, (_, at) => 100_000 + at)
  writeSample(tables, {
    'studentInfo.csv': (lines) => [
      ...lines,
      ...students.map((id) => `"AAA","2013J",${id},"F","Wales","x",,"35-55",0,60,"false","Pass"`),
    ],
    'studentAssessment.csv': (lines) => [
      ...lines,
      ...students.flatMap((id) => [`1752,${id},18,"false",70`, `1753,${id},50,"false",71`]),
    ],
  })
  await survives(['oulad', tables], { origin: { source: 'oulad' }, learners: 5_003, attempts: 10_004 })
})
