/** Values of many keys, found many at a time and remembered; keys are compared by identity. */
export interface Bulk<Key, Value> {
  /** The value itself where it is known already: a page that was asked for as a whole costs no promise a row. */
  one(key: Key): Value | Promise<Value>
  /** In the order of the keys. */
  many(keys: readonly Key[]): Promise<Value[]>
}

class Entry<Value> {
  isKnown = false
  value: Value | undefined = undefined
  /** Those who asked for this one alone. */
  asked: PromiseWithResolvers<Value> | null = null
  readonly batch: Batch<unknown, Value>

  constructor(batch: Batch<unknown, Value>) {
    this.batch = batch
  }
}

interface Batch<Key, Value> {
  readonly keys: Key[]
  readonly entries: Entry<Value>[]
  /** Kept once every entry knows its value. */
  done: Promise<void>
  hasFailed: boolean
}

/**
 * Everything that is asked in one turn becomes one call of `find`, of at most `most` keys. DataLoader does the same at the price of a promise
 * a key, which a thousand keys feel; this rejects as a whole.
 */
export function createBulk<Key, Value>(
  find: (keys: readonly Key[]) => Promise<readonly Value[]>,
  most: number,
): Bulk<Key, Value> {
  const known = new Map<Key, Entry<Value>>()
  let open: Batch<Key, Value> | null = null

  function openBatch(): Batch<Key, Value> {
    const batch: Batch<Key, Value> = { keys: [], entries: [], done: Promise.resolve(), hasFailed: false }
    // After every promise job of this turn, as DataLoader waits: what they still ask belongs to the batch.
    const turn = new Promise<void>((resolve) => Promise.resolve().then(() => process.nextTick(resolve)))
    batch.done = turn.then(() => settle(batch))
    batch.done.catch(() => {}) // whoever asked hears of it
    return batch
  }
  async function settle(batch: Batch<Key, Value>): Promise<void> {
    if (open === batch) open = null
    const { keys, entries } = batch
    try {
      const values = await find(keys)
      for (let at = 0; at < entries.length; at++) {
        const entry = entries[at]!
        entry.value = values[at]
        entry.isKnown = true
        entry.asked?.resolve(entry.value as Value)
      }
    } catch (error) {
      batch.hasFailed = true
      for (const { asked } of entries) asked?.reject(error)
      throw error
    }
  }
  function entryOf(key: Key): Entry<Value> {
    let entry = known.get(key)
    if (!entry) {
      if (!open || open.keys.length >= most) open = openBatch()
      entry = new Entry<Value>(open as Batch<unknown, Value>)
      open.keys.push(key)
      open.entries.push(entry)
      known.set(key, entry)
    }
    return entry
  }

  return {
    one(key) {
      const entry = entryOf(key)
      if (entry.isKnown) return entry.value as Value
      if (entry.batch.hasFailed) return entry.batch.done as Promise<never>
      entry.asked ??= Promise.withResolvers<Value>()
      return entry.asked.promise
    },
    async many(keys) {
      const entries = keys.map(entryOf)
      const waits = new Set<Promise<void>>()
      for (const { isKnown, batch } of entries) if (!isKnown) waits.add(batch.done)
      await Promise.all(waits)
      return entries.map(({ value }) => value as Value)
    },
  }
}
