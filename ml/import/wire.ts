import { refused } from './refusal.ts'

const BROKEN = 'Export the model again; the file may have been cut or changed on its way.'

/**
 * Reads protocol buffers (protobuf.dev/programming-guides/encoding) field by field and believes nothing: every length is held
 * against what is left, groups and numbers without end are refused.
 */
export class WireReader {
  readonly #bytes: Uint8Array
  #at = 0
  /** The field that `next` stopped at. */
  field = 0
  wire = 0
  /** Wire type 0: the number, exact up to 2^53 and negative where it is an int64 below zero. */
  value = 0
  /** Wire types 1, 2 and 5: the payload. */
  payload: Uint8Array = new Uint8Array(0)

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** False at the end. Throws IMPORT_INVALID. */
  next(): boolean {
    if (this.#at === this.#bytes.length) return false
    const tag = this.#varint()
    this.field = Math.floor(tag / 8)
    this.wire = tag % 8
    if (this.field < 1 || this.field > 0x1fffffff) throw broken(`a field has the number ${this.field}`)
    if (this.wire === 0) this.value = this.#varint()
    else if (this.wire === 1) this.payload = this.#take(8)
    else if (this.wire === 2) this.payload = this.#take(this.#varint())
    else if (this.wire === 5) this.payload = this.#take(4)
    else throw broken(`a field has the wire type ${this.wire}`)
    return true
  }

  /** Every number of a payload of packed varints. */
  static varints(bytes: Uint8Array, into: number[]): void {
    const reader = new WireReader(bytes)
    while (reader.#at < bytes.length) into.push(reader.#varint())
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length
    if (!(length >= 0) || end > this.#bytes.length)
      throw broken(`a field of ${length} bytes begins ${this.#bytes.length - this.#at} bytes before the end`)
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  #varint(): number {
    const bytes = this.#bytes
    let value = 0
    let factor = 1
    for (let index = 0; index < 10; index++) {
      if (this.#at >= bytes.length) throw broken('it ends within a number')
      const byte = bytes[this.#at++]!
      if (index === 7) return this.#wide(this.#at - 8)
      value += (byte & 127) * factor
      factor *= 128
      if (byte < 128) return value
    }
    throw broken('a number has no end')
  }

  /** The number from `start` on, which takes 8 bytes or more: 64 bits in two's complement. */
  #wide(start: number): number {
    let value = 0n
    for (let index = 0; index < 10; index++) {
      const byte = this.#bytes[start + index]
      if (byte === undefined) throw broken('it ends within a number')
      value |= BigInt(byte & 127) << BigInt(7 * index)
      if (byte >= 128) continue
      this.#at = start + index + 1
      return Number(BigInt.asIntN(64, value))
    }
    throw broken('a number has no end')
  }

  float(): number {
    const { payload } = this
    return new DataView(payload.buffer, payload.byteOffset).getFloat32(0, true)
  }

  text(): string {
    return textOf(this.payload)
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Throws IMPORT_INVALID for bytes that are no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw broken('a name is no text', cause)
  }
}

export function broken(why: string, cause?: unknown) {
  return refused(`it is no ONNX file, or a damaged one: ${why}`, BROKEN, cause)
}
