import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const SKIPPED = new Set(['node_modules', '.git', 'generated', 'coverage', 'dist', '.inkling'])

/** Every TypeScript file of the repository, relative to its root. */
export function sourceFiles(folder = ''): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    if (SKIPPED.has(name) || name.startsWith('.')) return []
    const path = join(folder, name)
    if (statSync(join(root, path)).isDirectory()) return sourceFiles(path)
    return /\.(ts|tsx|js|mjs)$/.test(name) ? [path] : []
  })
}

/** Everything below the house's own folders that a file imports, relative to the root; types included. */
export function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const specifiers = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"\n]*(?:\{[^}]*\}[^'"\n]*)?from\s*['"](\.[^'"]+)['"]/g),
    ...text.matchAll(/(?:^|\n)import\s*['"](\.[^'"]+)['"]/g),
    ...text.matchAll(/\bimport\(\s*['"](\.[^'"]+)['"]\s*\)/g),
    ...text.matchAll(/new URL\(\s*['"](\.[^'"]+\.(?:ts|mjs|js))['"]/g),
  ].map((match) => match[1]!)
  return specifiers.map((specifier) => normalize(join(dirname(file), specifier)))
}
