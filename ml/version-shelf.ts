import { rest, type ServedVersion } from './served-version.ts'

/** Versions that do not reign but were asked for, such as a shadow or an old number; the least recently used rests first. */
export interface VersionShelf {
  take(id: string): Promise<ServedVersion>
  clear(): Promise<void>
}

const MOST_VERSIONS = 8

export function createVersionShelf(load: (id: string) => Promise<ServedVersion>): VersionShelf {
  const versions = new Map<string, Promise<ServedVersion>>()

  async function drop(id: string): Promise<void> {
    const version = versions.get(id)
    versions.delete(id)
    if (version) await version.then(rest, () => {}) // what never loaded holds nothing
  }

  return {
    take(id) {
      const known = versions.get(id)
      const version = known ?? load(id)
      versions.delete(id)
      versions.set(id, version)
      if (!known) {
        version.catch(() => versions.delete(id))
        if (versions.size > MOST_VERSIONS) void drop(versions.keys().next().value!)
      }
      return version
    },
    async clear() {
      for (const id of [...versions.keys()]) await drop(id)
    },
  }
}
