import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { InklingError } from '../errors.ts'

/** The PostgreSQL major version inside PGlite; a folder written by another one cannot be opened. */
const POSTGRES_VERSION = '18'

interface Owner {
  readonly pid: number
  readonly started: string | null
}

/** When the process started, in clock ticks since boot: tells a process from a later one that got the same number. Linux only. */
function startOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? null
  } catch {
    return null
  }
}

function isRunning(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return owner.started === null || startOf(owner.pid) === owner.started
}

function readOwner(file: string): Owner | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner
  } catch {
    return null
  }
}

/**
 * Takes the folder for this process: PGlite does not guard it, and a second process would corrupt it silently.
 * Returns the release. Throws DATA_FOLDER_IN_USE when a living process holds it.
 */
export function lockFolder(folder: string): () => void {
  mkdirSync(dirname(folder), { recursive: true })
  const file = `${folder}.lock`
  const me: Owner = { pid: process.pid, started: startOf(process.pid) }
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(me), { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = readOwner(file)
    if (owner && isRunning(owner))
      throw new InklingError(
        'DATA_FOLDER_IN_USE',
        `The data folder ${folder} is in use by process ${owner.pid}.`,
        'Stop that process, choose another folder with INKLING_DATA_DIR, or share a server with DATABASE_URL.',
      )
    rmSync(file, { force: true })
  }
}

/** Creates the folder in a temporary place and renames it, so that a kill in between never leaves half a database. */
export async function initialiseFolder(folder: string, create: (path: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return checkVersion(folder)
  const temporary = `${folder}.new`
  rmSync(temporary, { recursive: true, force: true })
  await create(temporary)
  renameSync(temporary, folder)
}

function checkVersion(folder: string): void {
  const file = `${folder}/PG_VERSION`
  const version = existsSync(file) ? readFileSync(file, 'utf8').trim() : null
  if (version === POSTGRES_VERSION) return
  throw new InklingError(
    'DATA_FOLDER_VERSION',
    version === null
      ? `The folder ${folder} is not a database of Inkling: it has no PG_VERSION.`
      : `The data folder ${folder} was written by PostgreSQL ${version}; this version of Inkling holds PostgreSQL ${POSTGRES_VERSION}.`,
    'Choose another folder with INKLING_DATA_DIR, or move this one away and start afresh.',
  )
}
