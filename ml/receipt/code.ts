import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { env } from 'onnxruntime-node'

/** The code that turns rows into artefacts: the trainer, and what calls it. What reads the rows shows in the rows. */
export interface CodeProof {
  /** Of this package. */
  readonly version: string
  /** Of everything below. */
  readonly sha256: string
  /** Path -> the first 16 digits of the file's sha256. */
  readonly files: Readonly<Record<string, string>>
}

export interface Environment {
  readonly node: string
  readonly platform: string
  readonly arch: string
  readonly onnxruntime: string
}

const root = new URL('../../', import.meta.url)
const CALLERS = ['ml/dataset', 'ml/fitting', 'ml/training', 'ml/training-settings']
const isSource = (path: string) => /\.[tj]s$/.test(path) && !path.endsWith('.d.ts')

export async function proveCode(): Promise<CodeProof> {
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string }
  const trainer = await readdir(new URL('trainer/', root), { recursive: true })
  const extension = import.meta.url.slice(-3)
  const paths = [
    ...trainer.filter(isSource).map((path) => `trainer/${path.replaceAll('\\', '/')}`),
    ...CALLERS.map((path) => `${path}${extension}`),
  ].sort()
  const hashed: [string, string][] = []
  for (const path of paths) {
    const bytes = await readFile(fileURLToPath(new URL(path, root)))
    hashed.push([path, createHash('sha256').update(bytes).digest('hex').slice(0, 16)])
  }
  const sha256 = createHash('sha256')
    .update(JSON.stringify([version, hashed]))
    .digest('hex')
  return { version, sha256, files: Object.fromEntries(hashed) }
}

export function environmentOf(): Environment {
  return {
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    onnxruntime: env.versions.node ?? env.versions.common,
  }
}

/** What differs between two states of the code, in words; empty when they are equal. */
export function differencesOfCode(recorded: CodeProof, found: CodeProof): string[] {
  if (recorded.sha256 === found.sha256) return []
  const paths = new Set([...Object.keys(recorded.files), ...Object.keys(found.files)])
  const changed = [...paths].filter((path) => recorded.files[path] !== found.files[path]).sort()
  return [
    ...(recorded.version === found.version ? [] : [`version ${recorded.version} then, ${found.version} now`]),
    ...(changed.length > 0
      ? [`${changed.slice(0, 5).join(', ')}${changed.length > 5 ? ` and ${changed.length - 5} more` : ''} changed`]
      : []),
  ]
}
