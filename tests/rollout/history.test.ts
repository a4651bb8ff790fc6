import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Database, openDatabase } from '../../platform/database.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { createServerDatabase, openTestDatabase, silent } from '../harness.ts'
import { faultsOf, type Heard, type History } from './history.ts'
import { type MoverOptions, moveAbout } from './mover.ts'

const MOVES = 200
const MOVERS = 4

describe('two hundred concurrent promotions and rollbacks', () => {
  let database: Database
  let drop = async () => {}
  let registry: Registry
  let history: History

  beforeAll(async () => {
    const server = inject('server')
    let url = ''
    if (server) {
      const created = await createServerDatabase(server)
      ;({ url, drop } = created)
      database = await openDatabase({ url, log: silent })
    } else database = await openTestDatabase()
    registry = createRegistry(database)
    const versionIds: string[] = []
    for (let at = 0; at < 5; at++) {
      const draft = {
        kind: 'model',
        name: 'm',
        state: 'REGISTERED' as const,
        artefacts: {},
        schemaHash: 'h',
        contents: {},
      }
      versionIds.push((await registry.register({ ...draft, reasons: [], createdBy: 'tests' })).id)
    }
    const said: Heard[] = []
    const options = (at: number): MoverOptions => ({
      name: 'm',
      by: `mover ${at}`,
      versionIds,
      moves: MOVES / MOVERS,
      seed: 100 + at,
      width: 3,
    })
    const all = Array.from({ length: MOVERS }, (_, at) => options(at))
    // One process on the embedded database, which has one session; on a server as many as movers, each with its own connections.
    await Promise.all(
      all.map((one) => (url ? inProcess(url, one, said) : moveAbout(registry, one, (heard) => said.push(heard)))),
    )
    history = await read(said)
  })
  afterAll(async () => {
    await database.close()
    await drop()
  })

  async function inProcess(url: string, options: MoverOptions, said: Heard[]): Promise<void> {
    const script = fileURLToPath(new URL('mover.ts', import.meta.url))
    const child = spawn(process.execPath, [script, JSON.stringify({ url, ...options })], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (part) => {
      text += part
    })
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(code).toBe(0)
    for (const line of text.trim().split('\n')) said.push(JSON.parse(line))
  }
  async function read(said: readonly Heard[]): Promise<History> {
    const { rows } = await database.query<{ versionId: string }>(
      `SELECT "versionId" FROM "inkling"."Alias" WHERE "name" = 'm' AND "alias" = 'champion'`,
    )
    return {
      heard: said.filter(({ endedAt }) => endedAt !== null),
      log: (await registry.moves('model', 'm')).filter(({ alias }) => alias === 'champion'),
      champions: rows.map(({ versionId }) => versionId),
    }
  }

  it('leave one champion and a log that explains every answer', () => {
    expect(history.heard).toHaveLength(MOVES)
    expect(history.heard.filter(({ refused }) => refused === 'CONFLICT').length).toBeGreaterThan(0)
    expect(history.log.some(({ act }) => act === 'ROLLBACK')).toBe(true)
    expect(faultsOf(history)).toEqual([])
  })

  it('would not have passed had anything else happened', () => {
    const { heard, log } = history
    const middle = log.length >> 1
    const without = (at: number) => log.filter((_, index) => index !== at)
    const acknowledged = heard.findIndex(({ sequence }) => sequence === log[middle]!.sequence)
    const changed = (change: Partial<Heard>) =>
      heard.with(acknowledged, { ...heard[acknowledged]!, ...change } as Heard)
    const other = log.find(({ toId }) => toId !== log[middle]!.toId)!.toId
    const rollback = log.findIndex(({ act }) => act === 'ROLLBACK')
    const doctored: Record<string, Partial<History>> = {
      'a move is missing': { log: without(middle) },
      'the last move is missing': { log: without(log.length - 1) },
      'two champions': { champions: [...history.champions, ...history.champions] },
      'no champion': { champions: [] },
      'another champion': { champions: [log.find(({ toId }) => toId !== history.champions[0])!.toId!] },
      'a move went elsewhere': { log: log.with(middle, { ...log[middle]!, toId: other }) },
      'a rollback was a move': { log: log.with(rollback, { ...log[rollback]!, act: 'MOVE' }) },
      'two moves changed places': { log: log.with(middle, log[middle + 1]!).with(middle + 1, log[middle]!) },
      'a move that nobody asked for': { heard: heard.filter((_, at) => at !== acknowledged) },
      'an answer to two clients': { heard: [...heard, heard[acknowledged]!] },
      'an answer to a later question': {
        heard: changed({ startedAt: Date.now() + 60_000, endedAt: Date.now() + 60_001 }),
      },
      'a refusal without a reason': {
        heard: [
          ...heard,
          {
            by: 'x',
            op: 'promote',
            expected: log.at(-1)!.toId!,
            startedAt: log.at(-1)!.movedAt.getTime() + 1e6,
            endedAt: log.at(-1)!.movedAt.getTime() + 1e6,
            refused: 'CONFLICT',
          },
        ],
      },
    }
    for (const [what, change] of Object.entries(doctored))
      expect(faultsOf({ ...history, ...change }).length, what).toBeGreaterThan(0)
  })
})
