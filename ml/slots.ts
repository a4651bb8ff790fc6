import type { KeyValues, Model, Pair } from './define.ts'

/** A pair with a text that is equal for equal pairs. */
export interface Slot extends Pair {
  readonly id: string
}

class PairSlot implements Slot {
  readonly key: KeyValues
  readonly asOf: Date
  readonly tenant: string | undefined

  constructor(key: KeyValues, asOf: Date, tenant: string | undefined) {
    this.key = key
    this.asOf = asOf
    this.tenant = tenant
  }

  /** Needed only where requests share a read. */
  get id(): string {
    return JSON.stringify([this.asOf.getTime(), this.tenant ?? null, ...Object.values(this.key)])
  }
}

/**
 * The same pair is the same slot, so that loaders compare by identity. A key may come with more than its fields: they are left out.
 * tenant: whose all of them have to be.
 */
export function createSlots({ key: fields }: Pick<Model, 'key'>, tenant?: string): (pair: Pair) => Slot {
  const moments = new Map<number, Map<string | number | undefined, Slot>>()
  const [only] = fields.length === 1 ? fields : []
  let last: Date | null = null
  let known = new Map<string | number | undefined, Slot>()

  return ({ key, asOf }) => {
    if (asOf !== last) {
      const time = asOf.getTime()
      known = moments.get(time) ?? new Map()
      moments.set(time, known)
      last = asOf
    }
    const name = only === undefined ? JSON.stringify(fields.map((field) => key[field])) : key[only]
    let slot = known.get(name)
    if (!slot) {
      slot = new PairSlot(only === undefined ? pick(key, fields) : { [only]: key[only]! }, asOf, tenant)
      known.set(name, slot)
    }
    return slot
  }
}

function pick(key: KeyValues, fields: readonly string[]): KeyValues {
  const picked: Record<string, string | number> = {}
  for (const field of fields) picked[field] = key[field]!
  return picked
}
