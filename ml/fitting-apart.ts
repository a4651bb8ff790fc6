// A fit in a process of its own: the rows come in pieces, so that neither side ever holds them twice.
import { callIsolated, type IsolatedFunction } from '../jobs/isolated-call.ts'
import type { Artefact } from '../trainer/artefact.ts'
import type { Dataset } from '../trainer/dataset.ts'
import type { TrainHooks, TrainOptions } from '../trainer/index.ts'
import { fitModel } from './fitting.ts'

const arrayNames = ['x', 'y', 'groups', 'times', 'weights'] as const
type ArrayName = (typeof arrayNames)[number]
const kinds = { x: Float32Array, y: Float32Array, groups: Int32Array, times: Float64Array, weights: Float32Array }

/** The first word: everything but the rows' arrays, and how many bytes each of those will have. */
interface Opening {
  readonly model: string
  readonly described: Omit<Dataset, ArrayName>
  readonly bytes: Readonly<Partial<Record<ArrayName, number>>>
  readonly options: TrainOptions
}
/** Each further word. */
interface Piece {
  readonly name: ArrayName
  readonly at: number
  readonly bytes: Uint8Array
}

/** Sent at once: serialising it holds up the event loop for about a millisecond. */
const PIECE_BYTES = 2 << 20

/** fitModel in a process of its own, with memoryMb for the rows and everything that is made of them. */
export function fitModelApart(
  model: string,
  dataset: Dataset,
  options: TrainOptions,
  { signal, onProgress }: TrainHooks,
  memoryMb: number,
): Promise<Artefact> {
  return callIsolated<Artefact>(new URL(import.meta.url), wordsOf(model, dataset, options), {
    memoryMb,
    signal,
    hear: (word) => onProgress?.(word as Parameters<NonNullable<TrainHooks['onProgress']>>[0]),
  })
}

function* wordsOf(model: string, dataset: Dataset, options: TrainOptions): Generator<Opening | Piece> {
  const { x, y, groups, times, weights, ...described } = dataset
  const arrays = { x, y, groups, times, weights }
  const given = arrayNames.filter((name) => arrays[name] !== undefined)
  yield { model, described, bytes: Object.fromEntries(given.map((name) => [name, arrays[name]!.byteLength])), options }
  for (const name of given) {
    const { buffer, byteOffset, byteLength } = arrays[name]!
    for (let at = 0; at < byteLength; at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, byteLength - at)
      yield { name, at, bytes: Uint8Array.from(new Uint8Array(buffer, byteOffset + at, length)) } // shared memory cannot be sent
    }
  }
}

/** Called in the process of its own. */
export const run: IsolatedFunction<Artefact> = async ({ words, tell }) => {
  const all = words[Symbol.asyncIterator]()
  const { model, described, bytes, options } = (await all.next()).value as Opening
  const rows: Partial<Record<ArrayName, Float32Array | Float64Array | Int32Array>> = {}
  for (const [name, length] of Object.entries(bytes) as [ArrayName, number][])
    rows[name] = new kinds[name](new SharedArrayBuffer(length) as never)
  for (let next = await all.next(); !next.done; next = await all.next()) {
    const piece = next.value as Piece
    new Uint8Array(rows[piece.name]!.buffer).set(piece.bytes, piece.at)
  }
  return fitModel(model, { ...described, ...rows } as Dataset, options, { onProgress: tell })
}
