import { createHash } from 'node:crypto'

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Bytes that lie in a store. */
export interface StoredBytes {
  readonly sha256: string
  /** When they were kept last. */
  readonly keptAt: Date
}

/**
 * Where artefact bytes lie outside the database, under the sha256 of what they are. Nobody trusts it: whoever reads compares
 * the hash. Every method throws UNAVAILABLE when the store does not answer as it should.
 */
export interface ArtefactStore {
  /** What an artefact's row says about where its bytes are. */
  readonly kind: 'folder' | 's3'
  /** Only larger bytes go here; smaller ones stay in the row. */
  readonly threshold: number
  /** Keeps the bytes for good before it resolves. Bytes that are there already count as kept now. */
  put(sha256: string, bytes: Uint8Array): Promise<void>
  /** Null when nothing lies there. */
  get(sha256: string): Promise<Uint8Array | null>
  /** When they were kept last; null when nothing lies there. */
  keptAt(sha256: string): Promise<Date | null>
  /** Nothing to remove is no fault. */
  remove(sha256: string): Promise<void>
  /** Everything that lies there under a hash. */
  list(): AsyncIterable<StoredBytes>
}

/** A name in a store that could be a hash; whatever else lies there is not ours. */
export const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)
