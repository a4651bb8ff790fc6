import type { Artefact } from './artefact.ts'
import type { Dataset } from './dataset.ts'
import { addLinearContributions } from './linear/model.ts'
import { measure } from './metrics.ts'
import { type Model, predict } from './model.ts'
import { createRandom } from './random.ts'
import { gainShares, treeCount } from './trees/forest.ts'

/** Tree visits spent on permutation: about a second. */
const BUDGET = 20_000_000
const MOST_ROWS = 2000

/**
 * gain: a column's share of the trees' gain, or of the linear model's standardised weights. permutation: how much worse the main
 * loss of the judged model gets on rows it never saw when the column is shuffled; null where too few or no rows were held out.
 */
export function importancesOf(
  model: Model,
  judged: { readonly model: Model; readonly rows: Uint32Array } | null,
  dataset: Dataset,
  seed: number,
): Artefact['importances'] {
  const { columns } = dataset
  const gains = gainsOf(model, dataset)
  const permutations = judged && permutationsOf(judged.model, dataset, judged.rows, seed)
  return columns
    .map((column, f) => ({
      feature: column.name,
      gain: gains[f]!,
      permutation: permutations ? permutations[f]! : null,
    }))
    .sort((a, b) => b.gain - a.gain)
}

function gainsOf(model: Model, dataset: Dataset): Float64Array {
  const width = model.columns.length
  const out = new Float64Array(width)
  const forestShare = model.linear ? 1 - model.linearShare : 1
  if (model.forest) addShares(out, gainShares(model.forest, width), forestShare)
  if (!model.linear) return out
  addShares(out, linearShares(model, dataset), 1 - forestShare)
  return out
}

function addShares(into: Float64Array, shares: Float64Array, weight: number): void {
  for (let f = 0; f < into.length; f++) into[f]! += weight * shares[f]!
}

/** Mean absolute contribution of each column over a sample, as shares. */
function linearShares({ linear, columns }: Model, { x, n }: Dataset): Float64Array {
  const width = columns.length
  const out = new Float64Array(width)
  if (!linear) return out
  const stride = Math.max(1, Math.floor(n / MOST_ROWS))
  for (let row = 0; row < n; row += stride) {
    const one = new Float64Array(width)
    addLinearContributions(linear, x.subarray(row * width, (row + 1) * width), 1, width, 0, 1, one)
    for (let f = 0; f < width; f++) out[f]! += Math.abs(one[f]!)
  }
  const total = out.reduce((sum, value) => sum + value, 0)
  return total > 0 ? out.map((value) => value / total) : out
}

function permutationsOf(model: Model, dataset: Dataset, held: Uint32Array, seed: number): Float64Array | null {
  const width = dataset.columns.length
  const perRow = width * Math.max(10, model.forest ? treeCount(model.forest) : 0)
  const count = Math.min(held.length, MOST_ROWS, Math.floor(BUDGET / perRow))
  if (count < 50) return null
  const random = createRandom(seed).fork(5)
  const x = new Float32Array(count * width)
  const y = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    const row = held[Math.floor((i * held.length) / count)]!
    x.set(dataset.x.subarray(row * width, (row + 1) * width), i * width)
    y[i] = dataset.y[row]!
  }
  const lossNow = () => {
    const metrics = measure(dataset.task, y, predict(model, x), { classes: model.outputs })
    return (dataset.task === 'regression' ? metrics.rmse : metrics.logLoss) ?? null
  }
  const before = lossNow()
  if (before === null) return null
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  return Float64Array.from({ length: width }, (_, f) => {
    const kept = Float32Array.from({ length: count }, (_, i) => x[i * width + f]!)
    random.shuffle(order)
    for (let i = 0; i < count; i++) x[i * width + f] = kept[order[i]!]!
    const loss = lossNow() ?? before
    for (let i = 0; i < count; i++) x[i * width + f] = kept[i]!
    return loss - before
  })
}
