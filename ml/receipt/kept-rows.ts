import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createGzip, gunzip } from 'node:zlib'
import { InklingError } from '../../platform/errors.ts'
import type { Column, Dataset, Task } from '../../trainer/dataset.ts'

/** The first line of a kept dataset; the arrays follow, little-endian: x, y, groups and times where there are any. */
interface Head {
  readonly format: 'inkling-rows/1'
  readonly n: number
  readonly task: Task
  readonly columns: readonly Column[]
  readonly classes: readonly string[] | null
  readonly hasGroups: boolean
  readonly hasTimes: boolean
}

const BLOCK_BYTES = 1 << 20
/** One value of a table column has to hold it, and the driver writes bytes as twice as much text. */
const MOST_BYTES = 200 << 20

/** The dataset in one gzip file, for a verification without the database's rows. Throws BAD_USER_INPUT when it is over 200 MB. */
export async function keepRows(dataset: Dataset): Promise<Uint8Array> {
  const { n, task, columns, classes, x, y, groups, times } = dataset
  const head: Head = {
    format: 'inkling-rows/1',
    n,
    task,
    columns,
    classes: classes ?? null,
    hasGroups: groups !== undefined,
    hasTimes: times !== undefined,
  }
  async function* blocks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(`${JSON.stringify(head)}\n`)
    for (const values of [x, y, groups, times]) {
      if (!values) continue
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
        yield bytes.slice(at, at + BLOCK_BYTES)
        await nextTurn()
      }
    }
  }
  const packed = await buffer(Readable.from(blocks(), { objectMode: true }).pipe(createGzip({ level: 4 })))
  if (packed.length <= MOST_BYTES) return packed
  throw new InklingError(
    'BAD_USER_INPUT',
    `The dataset of ${n} rows takes ${Math.round(packed.length / 2 ** 20)} MB compressed; at most ${MOST_BYTES >> 20} MB can be kept.`,
    'Train without --keep-dataset: verification then reads the rows from the database as they were known.',
  )
}

/** Throws ARTEFACT_INVALID when the bytes are no kept dataset. */
export async function readKeptRows(packed: Uint8Array): Promise<Dataset> {
  const bytes = await promisify(gunzip)(packed).catch((cause: unknown) => {
    throw broken('it cannot be unpacked', cause)
  })
  const end = bytes.indexOf(10)
  const head = parseHead(bytes.toString('utf8', 0, Math.max(0, end)))
  let at = end + 1
  const take = (length: number): SharedArrayBuffer => {
    if (at + length > bytes.length) throw broken(`it ends after ${bytes.length} bytes`)
    const taken = new SharedArrayBuffer(length)
    new Uint8Array(taken).set(bytes.subarray(at, at + length))
    at += length
    return taken
  }
  const { n, task, columns, classes } = head
  return {
    columns,
    n,
    task,
    x: new Float32Array(take(4 * n * columns.length)),
    y: new Float32Array(take(4 * n)),
    ...(head.hasGroups ? { groups: new Int32Array(take(4 * n)) } : {}),
    ...(head.hasTimes ? { times: new Float64Array(take(8 * n)) } : {}),
    ...(classes ? { classes } : {}),
  }
}

function parseHead(line: string): Head {
  try {
    const head = JSON.parse(line) as Head
    if (head.format === 'inkling-rows/1') return head
  } catch (cause) {
    throw broken('its first line is no JSON', cause)
  }
  throw broken('it has another format')
}

function broken(why: string, cause?: unknown): InklingError {
  return new InklingError('ARTEFACT_INVALID', `The kept dataset cannot be read: ${why}.`, 'Train again.', { cause })
}
