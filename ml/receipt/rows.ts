import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Column, Dataset } from '../../trainer/dataset.ts'

/** Hashes of a dataset: equal exactly when columns, cells, labels, groups, times and their order are. All are sha256 in hex. */
export interface RowsProof {
  /** Of everything below. */
  readonly sha256: string
  readonly n: number
  /** Of each column: its kind, levels and bounds, and its cells from the first row to the last. */
  readonly columns: Readonly<Record<string, string>>
  readonly labels: string
  readonly groups: string | null
  readonly times: string | null
}

/** Rows copied and hashed at once: well under a millisecond. */
const BLOCK = 1 << 16
/** The event loop gets its turn after so many milliseconds. */
const TURN_MS = 8

/** Hashes column by column, so that a difference can be named. Leaves the event loop its turns. */
export async function proveRows(dataset: Dataset): Promise<RowsProof> {
  const { n, x, y, columns, groups, times } = dataset
  const turns = createTurns()
  const columnHashes: [string, string][] = []
  for (const [index, column] of columns.entries()) {
    const at = (row: number) => x[row * columns.length + index]!
    columnHashes.push([column.name, await hashCells(new Float32Array(BLOCK), n, at, turns, describe(column))])
  }
  const proof = {
    n,
    columns: Object.fromEntries(columnHashes),
    labels: await hashCells(new Float32Array(BLOCK), n, (row) => y[row]!, turns, dataset.task),
    groups: groups ? await hashCells(new Int32Array(BLOCK), n, (row) => groups[row]!, turns) : null,
    times: times ? await hashCells(new Float64Array(BLOCK), n, (row) => times[row]!, turns) : null,
  }
  const whole = JSON.stringify([n, columnHashes, proof.labels, proof.groups, proof.times])
  return { sha256: createHash('sha256').update(whole).digest('hex'), ...proof }
}

function describe({ kind, levels, monotone }: Column): string {
  return JSON.stringify([kind, levels ?? null, monotone ?? null])
}

async function hashCells(
  block: Float32Array | Float64Array | Int32Array,
  n: number,
  at: (row: number) => number,
  turns: () => Promise<void>,
  head = '',
): Promise<string> {
  const hash = createHash('sha256').update(`${head}\n`)
  for (let from = 0; from < n; from += BLOCK) {
    const count = Math.min(BLOCK, n - from)
    // one way to write a missing cell: NaN has many bit patterns
    for (let i = 0; i < count; i++) block[i] = at(from + i)
    hash.update(new Uint8Array(block.buffer, 0, count * block.BYTES_PER_ELEMENT))
    await turns()
  }
  return hash.digest('hex')
}

function createTurns(): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < TURN_MS) return
    await nextTurn()
    last = performance.now()
  }
}

/** What differs between two datasets, in words; empty when they are equal. */
export function differencesOfRows(recorded: RowsProof, found: RowsProof): string[] {
  if (recorded.sha256 === found.sha256) return []
  const says: string[] = []
  if (recorded.n !== found.n) says.push(`${recorded.n} rows were recorded, ${found.n} are there now`)
  const names = new Set([...Object.keys(recorded.columns), ...Object.keys(found.columns)])
  const changed = [...names].filter((name) => recorded.columns[name] !== found.columns[name])
  const gone = changed.filter((name) => found.columns[name] === undefined)
  const added = changed.filter((name) => recorded.columns[name] === undefined)
  const other = changed.filter((name) => !gone.includes(name) && !added.includes(name))
  if (gone.length > 0) says.push(`without ${gone.join(', ')}`)
  if (added.length > 0) says.push(`with ${added.join(', ')} added`)
  if (recorded.n === found.n) {
    if (other.length > 0) says.push(`other values of ${other.join(', ')}`)
    if (recorded.labels !== found.labels) says.push('other labels')
    if (recorded.groups !== found.groups) says.push('other groups')
    if (recorded.times !== found.times) says.push('other moments')
  }
  return says.length > 0 ? says : ['the order of the columns']
}
