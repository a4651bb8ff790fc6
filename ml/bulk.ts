interface Batch<Key, Value> {
  readonly keys: Key[]
  readonly values: Promise<readonly Value[]>
}

/**
 * Finds values of many keys at a time and remembers them, keys compared by identity. Everything that is asked in one turn becomes one call
 * of `find`, of at most `most` keys. DataLoader does the same at the price of a promise a key, which a thousand keys feel; this rejects
 * as a whole.
 */
export function createBulk<Key, Value>(
  find: (keys: readonly Key[]) => Promise<readonly Value[]>,
  most: number,
): (keys: readonly Key[]) => Promise<Value[]> {
  const places = new Map<Key, { readonly batch: Batch<Key, Value>; readonly at: number }>()
  let open: Batch<Key, Value> | null = null

  function openBatch(): Batch<Key, Value> {
    const keys: Key[] = []
    const batch: Batch<Key, Value> = {
      keys,
      // After every promise job of this turn, as DataLoader waits: what they still ask belongs to the batch.
      values: new Promise<void>((resolve) => Promise.resolve().then(() => process.nextTick(resolve))).then(() => {
        if (open === batch) open = null
        return find(keys)
      }),
    }
    return batch
  }
  return async (asked) => {
    const found = asked.map((key) => {
      let place = places.get(key)
      if (!place) {
        if (!open || open.keys.length >= most) open = openBatch()
        place = { batch: open, at: open.keys.push(key) - 1 }
        places.set(key, place)
      }
      return place
    })
    const batches = [...new Set(found.map(({ batch }) => batch))]
    const values = new Map(await Promise.all(batches.map(async (batch) => [batch, await batch.values] as const)))
    return found.map(({ batch, at }) => values.get(batch)![at]!)
  }
}
