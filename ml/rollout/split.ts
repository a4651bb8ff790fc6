import { createHash } from 'node:crypto'
import { BUCKETS, bucketsAt, type ExperimentStep } from '../../registry/experiments/experiment.ts'
import type { KeyValues } from '../define.ts'
import { keyText } from '../scores/key.ts'
import type { ServedVersion } from '../served-version.ts'

/** An experiment as a process serves it: the challenger is loaded. */
export interface Split {
  readonly experimentId: string
  readonly salt: string
  readonly steps: readonly Pick<ExperimentStep, 'at' | 'buckets'>[]
  readonly challenger: ServedVersion
}

/** What answers from a moment on, in this process. */
export interface Reign {
  readonly since: number
  readonly champion: ServedVersion
  readonly split: Split | null
}

/**
 * The bucket of a key, 0..9,999: the first 48 bits of sha256 of salt and key, modulo 10,000. Equal keys have equal buckets in every
 * process; the remainder's bias is below 1e-10. The salt belongs to the experiment, so that who was in one says nothing about the next.
 */
export function bucketOf(salt: string, key: KeyValues): number {
  return createHash('sha256').update(salt).update('\0').update(keyText(key)).digest().readUIntBE(0, 6) % BUCKETS
}

/**
 * The version that answers about each key under a reign. The share is the one of the request's instant, and a larger share holds the
 * whole smaller one: whoever was the challenger's stays so while it is ramped up.
 */
export function sidesOf({ champion, split }: Reign, instant: Date): (key: KeyValues) => ServedVersion {
  const share = split ? bucketsAt(split.steps, instant) : 0
  if (!split || share === 0) return () => champion
  return (key) => (bucketOf(split.salt, key) < share ? split.challenger : champion)
}
