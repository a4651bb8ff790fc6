import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { InklingError, messageOf } from '../../platform/errors.ts'
import { type ArtefactStore, isHash, type StoredBytes } from './store.ts'

/** Bytes as files `ab/abcdef...`; a file appears whole or not at all, also when the power fails. */
export function createFolderStore(path: string, threshold: number): ArtefactStore {
  const root = resolve(path)
  const folderOf = (sha256: string) => join(root, sha256.slice(0, 2))
  const fileOf = (sha256: string) => join(folderOf(sha256), refuseOther(sha256))

  async function keptAt(sha256: string): Promise<Date | null> {
    return answering(async () => (await stat(fileOf(sha256))).mtime).catch(nothing)
  }
  return {
    kind: 'folder',
    threshold,
    put: (sha256, bytes) =>
      answering(async () => {
        const file = fileOf(sha256)
        await mkdir(folderOf(sha256), { recursive: true })
        const known = await readFile(file).catch(() => null)
        if (known?.equals(bytes)) {
          const now = new Date()
          return utimes(file, now, now)
        }
        const draft = `${file}.${randomUUID()}.draft`
        const handle = await open(draft, 'wx')
        try {
          await handle.writeFile(bytes)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(draft, file)
        await syncFolder(folderOf(sha256))
      }),
    get: (sha256) => answering(() => readFile(fileOf(sha256))).catch(nothing),
    keptAt,
    remove: (sha256) => answering(() => rm(fileOf(sha256), { force: true })),
    async *list() {
      for (const folder of (await answering(() => readdir(root)).catch(nothing)) ?? []) {
        if (!/^[0-9a-f]{2}$/.test(folder)) continue
        for (const sha256 of await answering(() => readdir(join(root, folder)))) {
          const at = isHash(sha256) ? await keptAt(sha256) : null
          if (at) yield { sha256, keptAt: at } satisfies StoredBytes
        }
      }
    },
  }
}

/** A new name in a folder is only safe once the folder is written out too; some file systems cannot and need not. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

function refuseOther(sha256: string): string {
  if (isHash(sha256)) return sha256
  throw new InklingError(
    'BAD_USER_INPUT',
    `"${sha256.slice(0, 80)}" is no sha256.`,
    'Artefacts are named by their hash.',
  )
}

async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (isMissing(cause) || cause instanceof InklingError) throw cause
    throw new InklingError(
      'UNAVAILABLE',
      `The artefact folder does not answer: ${messageOf(cause)}`,
      'See that the folder of INKLING_ARTEFACTS is mounted, writable and not full.',
      { cause },
    )
  }
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code === 'ENOENT'

function nothing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}
