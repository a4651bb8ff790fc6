/** Writes protocol buffers (encoding: protobuf.dev/programming-guides/encoding), as little of them as ONNX needs. */
export class Encoder {
  #bytes = new Uint8Array(256)
  #length = 0

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + extra))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }

  /** Non-negative integers below 2^53. */
  varint(value: number): this {
    this.#reserve(10)
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  integer(field: number, value: number): this {
    return this.varint(field << 3).varint(value)
  }

  float(field: number, value: number): this {
    this.varint((field << 3) | 5).#reserve(4)
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true)
    this.#length += 4
    return this
  }

  bytes(field: number, value: Uint8Array): this {
    this.varint((field << 3) | 2)
      .varint(value.length)
      .#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value))
  }

  message(field: number, value: Encoder): this {
    return this.bytes(field, value.finish())
  }

  /** Packed float32. */
  floats(field: number, values: ArrayLike<number>): this {
    return this.bytes(field, littleEndianFloats(values))
  }

  /** Packed varints. */
  integers(field: number, values: ArrayLike<number>): this {
    const packed = new Encoder()
    for (let i = 0; i < values.length; i++) packed.varint(values[i]!)
    return this.bytes(field, packed.finish())
  }

  /** A view that later writes may overwrite. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

export function littleEndianFloats(values: ArrayLike<number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length))
  for (let i = 0; i < values.length; i++) view.setFloat32(4 * i, values[i]!, true)
  return new Uint8Array(view.buffer)
}
