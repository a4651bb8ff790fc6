import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { CHAMPION } from '../../ml/model-version.ts'
import { createServing } from '../../ml/serving.ts'
import { openDatabase } from '../../platform/database.ts'
import { createRegistry } from '../../registry/registry.ts'
import { createRandom } from '../../trainer/random.ts'
import { createServerDatabase, silent } from '../harness.ts'
import { toyModel } from '../ml/toy-model.ts'

const SEED = Number(process.env.INKLING_CRASH_SEED ?? 20_261_125)
const KILLS = Number(process.env.INKLING_CRASH_KILLS ?? 4)

describe('a process that is killed without warning', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inkling-crash-'))
  let where: { url: string } | { dataDir: string }
  let drop = async () => {}
  beforeAll(async () => {
    const server = inject('server')
    if (!server) where = { dataDir: join(folder, 'data') }
    else {
      const created = await createServerDatabase(server)
      where = { url: created.url }
      drop = created.drop
    }
  })
  afterAll(async () => {
    await drop()
    rmSync(folder, { recursive: true, force: true })
  })

  interface Line {
    readonly phase?: string
    readonly registered?: number
    readonly heard?: { readonly sequence?: number }
  }
  /** Lets a child work and kills it a drawn moment after it has said the phase for the nth time. Returns what it said. */
  async function killIn(phase: string, nth: number, delayMs: number, seed: number): Promise<Line[]> {
    const script = fileURLToPath(new URL('crash-child.ts', import.meta.url))
    const child = spawn(process.execPath, [script, JSON.stringify({ ...where, seed })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    let isDoomed = false
    child.stdout.on('data', (part) => {
      text += part
      if (isDoomed || text.split(`"phase":"${phase}"`).length <= nth) return
      isDoomed = true
      setTimeout(() => child.kill('SIGKILL'), delayMs)
    })
    const signal = await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)))
    expect(signal, text.slice(-500)).toBe('SIGKILL')
    return text.split('\n').flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as Line] : []))
  }

  /** Everything that was acknowledged is there, nothing is there by half, and the champion serves. */
  async function look(acknowledged: { readonly versions: ReadonlySet<number>; readonly moves: ReadonlySet<number> }) {
    const database = await openDatabase({ ...where, log: silent })
    try {
      const registry = createRegistry(database)
      const versions = await registry.list('model', 'toy', 1000)
      expect(versions.map(({ number }) => number).reverse()).toEqual(versions.map((_, at) => at + 1))
      for (const number of acknowledged.versions) expect(number).toBeLessThanOrEqual(versions.length)
      for (const version of versions)
        for (const role of ['onnx', 'explainer', 'receipt'])
          expect((await registry.artefact(version, role)).length).toBeGreaterThan(0)
      const moves = await registry.moves('model', 'toy')
      for (const [at, move] of moves.entries()) expect(move.fromId).toBe(moves[at - 1]?.toId ?? null)
      const sequences = new Set(moves.map(({ sequence }) => sequence))
      for (const sequence of acknowledged.moves) expect(sequences).toContain(sequence)
      // A version of `always` is promoted in the transaction that registers it, and its run has ended in the same one.
      for (const { id } of versions) expect(moves.some(({ toId }) => toId === id)).toBe(true)
      const { rows } = await database.query<{ alias: string; versionId: string }>(
        'SELECT "alias", "versionId" FROM "inkling"."Alias"',
      )
      expect(rows).toEqual(versions.length > 0 ? [{ alias: CHAMPION, versionId: moves.at(-1)!.toId }] : [])
      const runs = await registry.runs.list('training', 'toy', 1000)
      expect(
        runs
          .filter(({ state }) => state === 'SUCCEEDED')
          .map(({ versionId }) => versionId)
          .sort(),
      ).toEqual(versions.map(({ id }) => id).sort())
      const serving = await createServing({ registry, models: [toyModel()], log: silent })
      expect(serving.states()[0]).toMatchObject(
        versions.length > 0 ? { version: expect.any(Number), problem: null } : { version: null },
      )
      await serving.close()
      return { versions: versions.length, moves: moves.length }
    } finally {
      await database.close()
    }
  }

  it('leaves a consistent registry in training, registering and promoting', { timeout: 600_000 }, async () => {
    const random = createRandom(SEED)
    const versions = new Set<number>()
    const moves = new Set<number>()
    const points = ['training', 'registering', 'promoting', 'registering']
    for (let kill = 0; kill < KILLS; kill++) {
      const phase = points[kill % points.length]!
      const said = await killIn(phase, 1 + random.below(3), random.below(40), SEED + kill)
      for (const { registered, heard } of said) {
        if (registered !== undefined) versions.add(registered)
        if (heard?.sequence !== undefined) moves.add(heard.sequence)
      }
      const found = await look({ versions, moves })
      expect(found.versions, `kill ${kill} in ${phase}, seed ${SEED}`).toBeGreaterThanOrEqual(versions.size)
      if (kill === 0) expect(found).toEqual({ versions: 0, moves: 0 })
    }
    expect(versions.size).toBeGreaterThan(0)
  })
})
