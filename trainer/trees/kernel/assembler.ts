/** The bytes of a WebAssembly module with one imported memory (webassembly.github.io/spec/core/binary). Only what the kernel needs. */

export type Code = readonly number[]

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const out: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    out.push(rest > 0 ? low | 128 : low)
  } while (rest > 0)
  return out
}

/** Signed LEB128 of a small non-negative number. */
function constant(value: number): number[] {
  const out = unsigned(value)
  // bit 6 of the last byte is the sign: one more byte keeps it clear
  if (out.at(-1)! & 0x40) {
    out[out.length - 1]! |= 128
    out.push(0)
  }
  return out
}

const memory = (align: number, offset: number) => [align, ...unsigned(offset)]
const simd = (operation: number, ...rest: readonly number[]) => [0xfd, ...unsigned(operation), ...rest]

/** Instructions by what they do; addresses and numbers are i32, vectors two i64. */
export const code = {
  get: (local: number): Code => [0x20, ...unsigned(local)],
  set: (local: number): Code => [0x21, ...unsigned(local)],
  tee: (local: number): Code => [0x22, ...unsigned(local)],
  number: (value: number): Code => [0x41, ...constant(value)],
  add: [0x6a] as Code,
  subtract: [0x6b] as Code,
  and: [0x71] as Code,
  shiftLeft: [0x74] as Code,
  shiftRight: [0x76] as Code,
  isBelow: [0x49] as Code,
  load: (offset = 0): Code => [0x28, ...memory(2, offset)],
  loadVector: (offset = 0): Code => simd(0x00, ...memory(4, offset)),
  storeVector: (offset = 0): Code => simd(0x0b, ...memory(4, offset)),
  addVectors: simd(0xce) as Code,
  subtractVectors: simd(0xd1) as Code,
  fill: [0xfc, 0x0b, 0x00] as Code,
  /** Repeats the body while it leaves a number other than 0. */
  repeat: (...body: readonly Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0d, 0x00, 0x0b],
  /** Runs the body if the number on the stack is not 0. */
  when: (...body: readonly Code[]): Code => [0x04, 0x40, ...body.flat(), 0x0b],
}

export interface FunctionSource {
  readonly name: string
  /** i32 parameters; they are locals 0..parameters-1. */
  readonly parameters: number
  /** Further i32 locals, then vectors. */
  readonly numbers: number
  readonly vectors: number
  readonly body: readonly Code[]
}

const I32 = 0x7f
const V128 = 0x7b

export function assemble(functions: readonly FunctionSource[]): Uint8Array<ArrayBuffer> {
  const text = (value: string) => {
    const bytes = Array.from(new TextEncoder().encode(value))
    return [...unsigned(bytes.length), ...bytes]
  }
  const section = (id: number, entries: readonly (readonly number[])[]) => {
    const body = [...unsigned(entries.length), ...entries.flat()]
    return [id, ...unsigned(body.length), ...body]
  }
  const types = functions.map(({ parameters }) => [
    0x60,
    ...unsigned(parameters),
    ...new Array<number>(parameters).fill(I32),
    0,
  ])
  const bodies = functions.map(({ numbers, vectors, body }) => {
    const locals = [2, ...unsigned(numbers), I32, ...unsigned(vectors), V128]
    const bytes = [...locals, ...body.flat(), 0x0b]
    return [...unsigned(bytes.length), ...bytes]
  })
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [[...text('host'), ...text('memory'), 0x02, 0x00, 0x01]]),
    ...section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(10, bodies),
  ])
}
