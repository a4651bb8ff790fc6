import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { KeyValues } from '../define.ts'

/** Leading bytes of a digest that are kept: two of a million keys are alike once in 40 million versions. */
const BYTES = 8
/** Digests between two turns of the event loop: some two milliseconds. */
const TURN = 1000

/**
 * The keys that a version learned from, as a sorted set of digests: of each whole key and, where a key has parts, of each part, so
 * that "everything of this learner" can be asked. A digest of a key that can be guessed can be guessed: it says no more than that an
 * entity was among the training rows, and that to nobody but whoever may read the artefact.
 */
export interface TrainedKeys {
  add(key: KeyValues): void
  finish(): Promise<Uint8Array>
}

export function createTrainedKeys(): TrainedKeys {
  const seen = new Set<string>()
  return {
    add(key) {
      for (const text of textsOf(key)) seen.add(text)
    },
    async finish() {
      const digests: Buffer[] = []
      for (const text of seen) {
        digests.push(digestOf(text))
        if (digests.length % TURN === 0) await nextTurn()
      }
      return Buffer.concat(digests.sort(Buffer.compare))
    },
  }
}

/** Whether a version learned from a key, or from any key with this one part. bytes: the version's artefact `keys`. */
export function hasTrainedKey(bytes: Uint8Array, part: KeyValues): boolean {
  return contains(bytes, digestOf(textOf(part)))
}

function contains(bytes: Uint8Array, digest: Buffer): boolean {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let low = 0
  let high = all.length / BYTES
  while (low < high) {
    const middle = (low + high) >> 1
    const order = all.compare(digest, 0, BYTES, middle * BYTES, (middle + 1) * BYTES)
    if (order === 0) return true
    if (order < 0) low = middle + 1
    else high = middle
  }
  return false
}

const textOf = (key: KeyValues) =>
  JSON.stringify(
    Object.keys(key)
      .sort()
      .map((field) => [field, String(key[field])]),
  )

function textsOf(key: KeyValues): string[] {
  const fields = Object.keys(key)
  const whole = textOf(key)
  return fields.length === 1 ? [whole] : [whole, ...fields.map((field) => textOf({ [field]: key[field]! }))]
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update('inkling trained key ').update(text).digest().subarray(0, BYTES)
}
