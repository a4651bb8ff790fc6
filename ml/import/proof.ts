import { messageOf } from '../../platform/errors.ts'
import type { Golden } from '../inference/predictor.ts'
import type { ScoreRows } from '../outcomes.ts'
import { refused } from './refusal.ts'

const TOLERANCE = 1e-5
/** Sums over a batch may be taken in another order than those of one row. */
const BATCH_TOLERANCE = 1e-6
/** The largest batch that is tried, and how long it may take: serving scores up to 20,000 rows at once. */
const MANY = 4096
const MANY_MS = 5000
const MOST_COLUMNS_TRIED = 500

/**
 * Proves what serving relies on: golden rows come out as they did elsewhere, alone as in a batch; a missing value gives a
 * probability too; extreme values break nothing; many rows take no time worth speaking of. Throws IMPORT_INVALID.
 * names: of the columns, where a missing value may not be known to the model.
 */
export async function proveModel(
  score: ScoreRows,
  width: number,
  golden: Golden,
  names: readonly string[] | null,
): Promise<void> {
  const n = golden.x.length
  const x = Float32Array.from(golden.x.flat(), (value) => value ?? Number.NaN)
  const run = async (rows: Float32Array, count: number, what: string) => {
    const scores = await score(rows, count).catch((error: unknown) => {
      throw refused(
        `scoring ${what} fails: ${messageOf(error).slice(0, 500)}`,
        'Look at the order of its inputs.',
        error,
      )
    })
    if (!(scores instanceof Float32Array) || scores.length !== count)
      throw refused(
        `scoring ${what} gives ${scores.length} answers for ${count} rows`,
        'Export one answer for each row.',
      )
    return scores
  }
  const batch = await run(x, n, 'the golden rows')
  const outside = batch.find((value) => !(value >= 0 && value <= 1))
  if (outside !== undefined)
    throw refused(
      `it answers ${outside} to a golden row, which is no probability`,
      'Name the output that holds the probability, or say "scale": "log-odds".',
    )
  for (const [row, expected] of golden.y.entries())
    if (!(Math.abs(batch[row]! - expected) <= TOLERANCE))
      throw refused(
        `golden row ${row} scores ${batch[row]} instead of ${expected}`,
        'Compare the order of the inputs, the encoding of categories and the output with those of training.',
      )
  for (let row = 0; row < n; row++) {
    const [alone] = await run(x.slice(row * width, (row + 1) * width), 1, 'one row')
    if (!(Math.abs(alone! - batch[row]!) <= BATCH_TOLERANCE))
      throw refused(
        `golden row ${row} scores ${alone} alone and ${batch[row]} among others`,
        'Export for any number of rows.',
      )
  }
  await proveMissing(run, x.subarray(0, width), width, names)
  for (const extreme of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 1e-45])
    await run(new Float32Array(width).fill(extreme), 1, `a row of ${extreme}`)
  const many = Float32Array.from({ length: MANY * width }, (_, at) => x[at % x.length]!)
  const start = performance.now()
  await run(many, MANY, `${MANY} rows`)
  const took = performance.now() - start
  if (took > MANY_MS) throw refused(`${MANY} rows take it ${Math.round(took)} ms`, 'Train a smaller model.')
}

/** A row with nothing known, and one row for each column that is missing by itself. */
async function proveMissing(
  run: (rows: Float32Array, n: number, what: string) => Promise<Float32Array>,
  row: Float32Array,
  width: number,
  names: readonly string[] | null,
): Promise<void> {
  const tried = Math.min(width, MOST_COLUMNS_TRIED)
  const rows = new Float32Array((tried + 1) * width)
  for (let column = 0; column < tried; column++) {
    rows.set(row, column * width)
    rows[column * width + column] = Number.NaN
  }
  rows.fill(Number.NaN, tried * width)
  const scores = await run(rows, tried + 1, 'rows with missing values')
  const bad = scores.findIndex((value) => !(value >= 0 && value <= 1))
  if (bad < 0) return
  const which = bad === tried ? 'everything' : (names?.[bad] ?? `column ${bad}`)
  throw refused(
    `it answers ${scores[bad]} when ${which} is missing`,
    'Say what the model was given instead: { "feature": "...", "missing": 0 }.',
  )
}
