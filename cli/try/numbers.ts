const chunkRows = 65_536

/**
 * A growing column of numbers. Chunks are float32, as the trainer's matrix will be, except where an integer would lose
 * digits (identifiers, milliseconds): those chunks are doubles. Ten million rows cost 40 MB a column.
 */
export class GrowingNumbers {
  length = 0
  #chunks: (Float32Array | Float64Array)[] = []

  push(value: number): void {
    const at = this.length % chunkRows
    if (at === 0) this.#chunks.push(new Float32Array(chunkRows))
    const last = this.#chunks.length - 1
    let chunk = this.#chunks[last]!
    if (chunk instanceof Float32Array && Number.isInteger(value) && Math.fround(value) !== value) {
      chunk = Float64Array.from(chunk)
      this.#chunks[last] = chunk
    }
    chunk[at] = value
    this.length++
  }

  at(row: number): number {
    return this.#chunks[Math.floor(row / chunkRows)]![row % chunkRows]!
  }

  /** Becomes the other column, which must not be used any more. */
  take(other: GrowingNumbers): void {
    this.#chunks = other.#chunks
    this.length = other.length
  }
}
