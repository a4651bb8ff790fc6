import { Duplex } from 'node:stream'
import type { EmbeddedEngine } from './engine.ts'

const TERMINATE = 0x58 // X
/** Messages that end a round: Sync, Query, Flush, CopyData, CopyDone, CopyFail, FunctionCall. */
const ROUND_ENDS = new Set([...'SQHdcfF'].map((letter) => letter.charCodeAt(0)))

function frame(type: string, body: Buffer): Buffer {
  const framed = Buffer.alloc(5 + body.length)
  framed.write(type, 0, 'latin1')
  framed.writeInt32BE(4 + body.length, 1)
  body.copy(framed, 5)
  return framed
}

const parameter = (name: string, value: string) => frame('S', Buffer.from(`${name}\0${value}\0`))

const greeting = Buffer.concat([
  frame('R', Buffer.from([0, 0, 0, 0])), // authentication is fine
  parameter('server_version', '18.0'),
  parameter('client_encoding', 'UTF8'),
  parameter('DateStyle', 'ISO, MDY'),
  parameter('integer_datetimes', 'on'),
  parameter('standard_conforming_strings', 'on'),
  parameter('TimeZone', 'UTC'),
  frame('K', Buffer.alloc(8)),
  frame('Z', Buffer.from('I')),
])

/** A socket's stand-in: lets the ordinary `pg` driver, and so Prisma, talk to an embedded engine with no port at all. */
export class EmbeddedStream extends Duplex {
  readonly #engine: EmbeddedEngine
  #pending: Buffer[] = []
  #isStarted = false

  constructor(engine: EmbeddedEngine) {
    super()
    this.#engine = engine
  }

  connect(): this {
    queueMicrotask(() => this.emit('connect'))
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }

  override _read(): void {}
  override _write(piece: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#take(piece).then(() => done(), done)
  }
  override _writev(pieces: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#take(Buffer.concat(pieces.map((piece) => piece.chunk))).then(() => done(), done)
  }
  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  async #take(piece: Buffer): Promise<void> {
    this.#pending.push(piece)
    let bytes = this.#pending.length === 1 ? piece : Buffer.concat(this.#pending)
    if (!this.#isStarted) {
      if (bytes.length < 4 || bytes.length < bytes.readInt32BE(0)) {
        this.#pending = [bytes]
        return
      }
      bytes = bytes.subarray(bytes.readInt32BE(0))
      await this.#greet()
    }
    const { end, isTerminated } = scanRounds(bytes)
    this.#pending = end < bytes.length && !isTerminated ? [bytes.subarray(end)] : []
    if (end > 0) await this.#engine.run(bytes.subarray(0, end), (answer) => this.push(answer))
    if (isTerminated) this.push(null)
  }

  /** There is one session for ever: a new connection must not inherit an open transaction, LISTENs or locks of a dropped one. */
  async #greet(): Promise<void> {
    this.#isStarted = true
    for (const sql of ['ROLLBACK', 'DISCARD ALL']) await this.#engine.run(frame('Q', Buffer.from(`${sql}\0`)), () => {})
    this.push(greeting)
  }
}

/** Where the last complete message that ends a round stops. */
function scanRounds(bytes: Buffer): { end: number; isTerminated: boolean } {
  let at = 0
  let end = 0
  while (bytes.length - at >= 5) {
    const length = 1 + bytes.readInt32BE(at + 1)
    if (bytes.length - at < length) break
    const type = bytes[at]!
    if (type === TERMINATE) return { end, isTerminated: true }
    at += length
    if (ROUND_ENDS.has(type)) end = at
  }
  return { end, isTerminated: false }
}
