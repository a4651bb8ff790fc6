import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../cli/inkling.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'inkling-receipts-'))
afterAll(() => rmSync(folder, { recursive: true }))

const run = (words: string[]) =>
  spawnSync(process.execPath, [program, ...words], { encoding: 'utf8', cwd: folder, timeout: 50_000 })

describe('the command line', () => {
  it('refuses a file that is no receipt, before it opens a database', () => {
    writeFileSync(join(folder, 'other.json'), '{"format":"inkling-receipt/1","model":7}')
    const other = run(['verify', 'other.json'])
    expect(other.status).toBe(1)
    expect(other.stderr).toContain('other.json is no receipt: model')
    expect(run(['verify', 'missing.json']).stderr).toContain('missing.json cannot be read')
  })

  it('wants one model for one receipt', () => {
    const { status, stderr } = run(['train', 'churn', 'struggle', '--receipt', 'receipt.json'])
    expect(status).toBe(1)
    expect(stderr).toContain('--receipt is about one model, not 2')
  })

  it('does not mind a reader that has left', () => {
    const pipe = `"${process.execPath}" "${program}" train --help | true; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', pipe], { encoding: 'utf8', cwd: folder, timeout: 50_000 })
    expect(stdout).toBe('0\n')
    expect(stderr).toBe('')
  })
})
