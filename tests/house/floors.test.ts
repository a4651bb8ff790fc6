import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importsOf, root, sourceFiles } from './imports.ts'

/** What each room may import beside itself. HOUSE: a file imports its own folder and floors below, nothing else. */
const floors: Record<string, readonly string[]> = {
  platform: [],
  trainer: [],
  registry: ['platform'],
  jobs: ['platform'],
  ml: ['trainer', 'registry', 'jobs', 'platform'],
  llm: ['registry', 'jobs', 'platform'],
  schema: ['ml', 'platform'],
  'subgraphs/learning': ['schema', 'ml', 'registry', 'jobs', 'platform'],
  'subgraphs/ml': ['schema', 'ml', 'registry', 'jobs', 'platform', 'trainer'],
  'subgraphs/llm': ['schema', 'llm', 'registry', 'jobs', 'platform'],
  'subgraphs/jobs': ['schema', 'ml', 'registry', 'jobs', 'platform'],
  gateway: ['platform'],
  models: ['index.ts'],
  deploy: [],
  // The reference application's rows: seeding draws from the trainer's seeded generator.
  prisma: ['platform', 'trainer'],
}
/** Rooms on the top floor: everything below is theirs. */
const top = new Set([
  'app.ts',
  'app',
  'index.ts',
  'contracts.ts',
  'cli',
  'tests',
  'bench',
  'codegen.ts',
  'vitest.config.ts',
  'examples',
])

function roomOf(file: string): string {
  const [first, second] = file.split('/')
  return first === 'subgraphs' ? `${first}/${second}` : first!
}

const files = sourceFiles()
const graph = new Map(files.map((file) => [file, importsOf(file)]))

describe('the house', () => {
  it('lets a file import its own folder and the floors below, nothing else', () => {
    const wrong: string[] = []
    for (const [file, imports] of graph) {
      const room = roomOf(file)
      if (top.has(room)) continue
      const allowed = floors[room]
      if (!allowed) wrong.push(`${file}: the room ${room} has no floor`)
      for (const target of imports) {
        const other = roomOf(target)
        if (other === room || target.includes('/generated/')) continue
        if (!allowed?.includes(other)) wrong.push(`${file} imports ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('has no cycles', () => {
    const cycles: string[] = []
    const state = new Map<string, 'open' | 'done'>()
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
        return
      }
      state.set(file, 'open')
      // A type is gone at run time: only values make a cycle.
      for (const target of valueImportsOf(file)) if (graph.has(target)) visit(target, [...path, file])
      state.set(file, 'done')
    }
    for (const file of files) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('reads process.env in platform/config.ts alone', () => {
    const readers = files.filter(
      (file) =>
        !/^(tests|bench|examples)\//.test(file) &&
        !/(^|\/)(prisma\.config|vitest\.config|codegen)\.ts$/.test(file) &&
        !file.startsWith('prisma/tooling/') &&
        /process\.env/.test(textOf(file)),
    )
    expect(readers).toEqual(['platform/config.ts'])
  })

  it('has no drawer called utils, helpers, common, shared, lib or core', () => {
    const drawers = files.filter((file) => /(^|\/)(utils?|helpers?|common|shared|lib|core)(\/|\.ts$)/.test(file))
    expect(drawers).toEqual([])
  })

  it('keeps files short', () => {
    const lengths = files
      .filter((file) => !/^(tests|bench|examples)\//.test(file))
      .map((file) => ({ file, lines: textOf(file).split('\n').length - 1 }))
    expect(lengths.filter(({ lines }) => lines > 400)).toEqual([])
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b)
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(120)
  })

  it('imports with the .ts extension', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => !/\.(ts|tsx|js|mjs|json)$/.test(target))
        .map((target) => `${file}: ${target}`),
    )
    expect(wrong).toEqual([])
  })
})

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function valueImportsOf(file: string): string[] {
  const typeOnly = new Set(
    [...textOf(file).matchAll(/(?:^|\n)\s*(?:import|export)\s+type\b[^'"]*from\s*['"](\.[^'"]+)['"]/g)].map(
      (match) => match[1]!,
    ),
  )
  const both = new Set(importsOf(file))
  const types = new Set([...typeOnly].map((specifier) => join(file, '..', specifier)))
  return [...both].filter((target) => !types.has(target))
}
