import { logOdds } from './calibration.ts'
import { TrainerError } from './errors.ts'
import { intervalOf, type VennAbers } from './interval.ts'
import { addLinearContributions } from './linear/model.ts'
import { answersOf, type Model, modelScores } from './model.ts'
import { addForestContributions, createShapTables, type ShapTables } from './trees/shap.ts'

/** How far the truth may be from an answer: one table per class (binary: one), or a regression's conformal half-width. */
export type Spread =
  | { readonly kind: 'venn-abers'; readonly tables: readonly VennAbers[] }
  | { readonly kind: 'conformal'; readonly halfWidth: number; readonly coverage: number }

/** A parsed `Artefact.explainer`: the model itself, able to explain and to bound its answers. */
export interface Explainer {
  readonly model: Model
  readonly spread: Spread | null
}

const FORMAT = 1

/** JSON; number arrays as base64 of little-endian bytes. */
export function serialiseExplainer(explainer: Explainer): Uint8Array {
  const text = JSON.stringify({ format: FORMAT, ...explainer }, (_, value: unknown) => {
    for (const [name, Kind] of Object.entries(arrayKinds)) {
      if (value instanceof Kind)
        return { [name]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
    }
    return value
  })
  return new TextEncoder().encode(text)
}

const arrayKinds = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u4: Uint32Array, u1: Uint8Array } as const

/** Throws BAD_DATASET for bytes that are no explainer. */
export function parseExplainer(bytes: Uint8Array): Explainer {
  const refuse = (cause?: unknown) =>
    new TrainerError(
      'BAD_DATASET',
      `These ${bytes.length} bytes are no explainer of format ${FORMAT}`,
      'Train the model again with this version of Inkling.',
      { cause },
    )
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes), (_, value: unknown) => {
      if (typeof value !== 'object' || value === null) return value
      const keys = Object.keys(value)
      const name = keys[0] as keyof typeof arrayKinds
      if (keys.length !== 1 || !(name in arrayKinds)) return value
      const raw = Uint8Array.from(Buffer.from((value as Record<string, string>)[name]!, 'base64'))
      return new arrayKinds[name](raw.buffer)
    })
  } catch (error) {
    throw refuse(error)
  }
  const explainer = parsed as Explainer & { format?: number }
  if (explainer?.format !== FORMAT || !explainer.model) throw refuse()
  return { model: explainer.model, spread: explainer.spread }
}

const shapTables = new WeakMap<Model, ShapTables>()

function shapTablesOf(model: Model): ShapTables | null {
  if (!model.forest) return null
  let tables = shapTables.get(model)
  if (!tables) {
    tables = createShapTables(model.forest)
    shapTables.set(model, tables)
  }
  return tables
}

/**
 * Exact Shapley values of each cell, in the score's unit: log-odds (with Platt calibration the calibrated ones; with isotonic
 * the uncalibrated), the class's softmax score, the log rate or the value. x: float32 row-major (n, F). values: (n, F) row-major;
 * base + a row's values = that row's `marginOf`, to 1e-6. output: the class explained. Missing flags and one-hot
 * levels count for their own column.
 */
export function contributions(
  explainer: Explainer,
  x: Float32Array,
  n: number,
  output = 0,
): { base: number; values: Float64Array } {
  const { model } = explainer
  const width = model.columns.length
  const values = new Float64Array(n * width)
  const { factor, shift } = calibratedScale(model)
  const tables = shapTablesOf(model)
  const linearScale = factor * (tables ? model.linearShare : 1)
  const forestScale = factor * (model.linear ? 1 - model.linearShare : 1)
  let base = shift
  if (model.linear) base += addLinearContributions(model.linear, x, n, width, output, linearScale, values)
  if (tables) base += addForestContributions(tables, x, n, width, output, forestScale, values)
  return { base, values }
}

/** What contributions add up to, shape (n, outputs) row-major. */
export function marginOf(explainer: Explainer, x: Float32Array): Float64Array {
  const { factor, shift } = calibratedScale(explainer.model)
  return modelScores(explainer.model, x).map((score) => factor * score + shift)
}

function calibratedScale({ calibration }: Model): { factor: number; shift: number } {
  if (calibration?.kind === 'platt') return { factor: calibration.slope, shift: calibration.intercept }
  if (calibration?.kind === 'temperature') return { factor: calibration.factor, shift: 0 }
  return { factor: 1, shift: 0 }
}

/** The model's answers in double precision: probability (n,), probabilities (n, classes) or value (n,). The graph agrees to 1e-5. */
export function answer(explainer: Explainer, x: Float32Array): Float64Array {
  const { model } = explainer
  return answersOf(modelScores(model, x), model.objective, model.outputs, model.calibration)
}

/**
 * [low, high] around each answer, shapes as the answers given. Probabilities: Venn-Abers, always holding the probability itself.
 * Regression: value -/+ the half-width that covered `coverage` of the out-of-fold rows. Without a table: [0, 1], or no bound.
 */
export function interval(explainer: Explainer, answers: ArrayLike<number>): { low: Float64Array; high: Float64Array } {
  const low = new Float64Array(answers.length)
  const high = new Float64Array(answers.length)
  const { spread, model } = explainer
  const isBounded = model.task !== 'regression'
  for (let i = 0; i < answers.length; i++) {
    const value = answers[i]!
    if (spread?.kind === 'conformal') {
      low[i] = value - spread.halfWidth
      high[i] = value + spread.halfWidth
    } else if (spread) {
      const bounds = intervalOf(spread.tables[i % spread.tables.length]!, value, value)
      low[i] = bounds[0]
      high[i] = bounds[1]
    } else {
      low[i] = isBounded ? 0 : Number.NEGATIVE_INFINITY
      high[i] = isBounded ? 1 : Number.POSITIVE_INFINITY
    }
  }
  return { low, high }
}

/** The log-odds of a probability, kept finite. */
export function marginOfProbability(probability: number): number {
  return logOdds(Math.min(1 - 1e-7, Math.max(1e-7, probability)))
}
