import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { openGround } from '../../cli/ground.ts'
import { modelsCommand } from '../../cli/models.ts'
import { createRegistry } from '../../registry/registry.ts'
import { createServerDatabase } from '../harness.ts'

describe('inkling models', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inkling-models-'))
  let drop = async () => {}
  beforeAll(async () => {
    const server = inject('server')
    const created = server ? await createServerDatabase(server) : null
    drop = created?.drop ?? drop
    vi.stubEnv('DATABASE_URL', created?.url ?? '')
    vi.stubEnv('INKLING_DATA_DIR', join(folder, 'data'))
    vi.stubEnv('LOG_LEVEL', 'error')
    const ground = await openGround({ quiet: true })
    const registry = createRegistry(ground.database)
    for (const [at, state] of (['REGISTERED', 'REGISTERED', 'PENDING'] as const).entries())
      await registry.register({
        kind: 'model',
        name: 'churn',
        state,
        artefacts: { onnx: new Uint8Array([at]) },
        schemaHash: 'hash',
        contents: contents(at),
        reasons: [],
        createdBy: 'tests',
      })
    await ground.close()
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    await drop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What a command prints. */
  async function run(...words: string[]): Promise<string> {
    let text = ''
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((part) => {
      text += String(part)
      return true
    })
    try {
      await modelsCommand().parseAsync(['node', 'inkling', ...words])
    } finally {
      write.mockRestore()
    }
    return text
  }

  it('promotes on a belief, approves and rolls back, and tells what happened', async () => {
    expect(await run('promote', 'churn', '1')).toBe('churn version 1 serves.\n')
    await expect(run('promote', 'churn', '2', '--expected', '3')).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await run('promote', 'churn', '2', '--expected', 'champion', '--reason', 'holidays')).toBe(
      'churn version 2 serves.\n',
    )
    expect(await run('approve', 'churn', '3')).toBe('churn version 3 serves.\n')
    expect(await run('rollback', 'churn')).toBe('churn version 2 serves again.\n')
    expect(await run('alias', 'churn', 'shadow', '3')).toBe('shadow of churn is version 3.\n')
    await expect(run('alias', 'churn', 'shadow')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    expect(await run('churn')).toMatch(/ \* {3}2 .* REGISTERED {2}auc 0.8100[\s\S]*1 /)
    expect(await run('list', 'churn')).toContain('(shadow)')
    const shown = await run('show', 'churn')
    expect(shown).toContain('auc          0.8100  (95 %: 0.7600 to 0.8600)')
    expect(shown).toMatch(
      /champion moved here by command line: holidays\n.*champion left by command line.*\n.*champion rolled back here/,
    )
  })

  it('holds versions side by side', async () => {
    const said = await run('diff', 'churn', '1', '2')
    expect(said).toContain('auc          0.8000 (0.7500 to 0.8500) -> 0.8100 (0.7600 to 0.8600)')
    expect(said).toContain('feature spent: number, in USD, at place 1 -> number, in EUR, at place 1')
    expect(said).toContain('feature plan: (not there) -> category, at place 2')
    expect(said).toContain('rows: 1000 -> 1001')
    expect(JSON.parse(await run('diff', 'churn', '1', '2', '--json'))).toMatchObject({ before: 1, after: 2 })
  })
})

function contents(at: number) {
  const auc = 0.8 + at / 100
  const spent = { name: 'spent', kind: 'number', unit: at === 0 ? 'USD' : 'EUR', says: '' }
  return {
    learner: 'linear',
    settings: {},
    seed: 7,
    rows: 1000 + at,
    positives: 100,
    window: { from: '2026-01-01T00:00:00.000Z', to: '2026-05-01T00:00:00.000Z' },
    metrics: { auc },
    intervals: { auc: [auc - 0.05, auc + 0.05] },
    features: at === 0 ? [spent] : [spent, { name: 'plan', kind: 'category', says: '' }],
  }
}
