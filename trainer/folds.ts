import type { Split } from './artefact.ts'
import type { Dataset } from './dataset.ts'
import { orderOf } from './order.ts'
import { createRandom } from './random.ts'

export type SplitBy = Split['by']

/** Row numbers on both sides of one split, each rising. Rows in neither are left out of it. */
export interface TrainTest {
  readonly train: Uint32Array
  readonly test: Uint32Array
}

type Labelled = Pick<Dataset, 'n' | 'y' | 'task' | 'groups' | 'times'>

/** By time and group where both are known, else by the one that is, else stratified. */
export function splitFor(dataset: Pick<Dataset, 'groups' | 'times'>): SplitBy {
  if (dataset.groups && dataset.times) return 'time+group'
  return dataset.groups ? 'group' : dataset.times ? 'time' : 'stratified'
}

/**
 * The fold of each row, 0..k-1, shape (n,). stratified: each fold has the shares of the classes (regression: of the
 * label's quantiles). group: whole groups, folds of similar size and label. time and time+group: consecutive periods,
 * the first of k+1 being -1 (only ever trained on); train with `trainTestOf`, which looks backwards.
 * Rejects nothing: with fewer rows or groups than k some folds stay empty.
 */
export function foldsOf(dataset: Labelled, k: number, by: SplitBy, seed: number): Int32Array {
  if (by === 'time' || by === 'time+group') return periodsOf(timesOf(dataset), k)
  if (by === 'group') return groupFolds(dataset, k, seed)
  const folds = new Int32Array(dataset.n)
  const random = createRandom(seed)
  let next = 0
  for (const stratum of strataOf(dataset)) {
    random.shuffle(stratum)
    // strata go on dealing where the last one stopped, so that fold sizes differ by one row at most
    for (const row of stratum) folds[row] = next++ % k
  }
  return folds
}

/**
 * Train and test rows of one fold. By time, only rows strictly before the fold's first moment are trained on; time+group
 * also keeps every group on one side, as `holdOut` does.
 */
export function trainTestOf(dataset: Labelled, folds: ArrayLike<number>, fold: number, by: SplitBy): TrainTest {
  const test: number[] = []
  for (let row = 0; row < dataset.n; row++) if (folds[row] === fold) test.push(row)
  const times = by === 'time' || by === 'time+group' ? timesOf(dataset) : undefined
  const start = times ? test.reduce((first, row) => Math.min(first, times[row]!), Number.POSITIVE_INFINITY) : 0
  const train: number[] = []
  for (let row = 0; row < dataset.n; row++) {
    if (folds[row] !== fold && !(times && !(times[row]! < start))) train.push(row)
  }
  const split = { train: Uint32Array.from(train), test: Uint32Array.from(test) }
  return by === 'time+group' && dataset.groups ? onOneSide(split, dataset.groups, fold) : split
}

/**
 * One honest hold-out of about `share` of the rows (stratified, group: the nearest 1/k). time: trains strictly before the
 * cut moment and tests from it on. time+group: additionally no group stands on both sides: a group seen before and after
 * the cut goes, whole, to the test side one time in three and loses its earlier rows, else to the train side and loses its later ones.
 */
export function holdOut(dataset: Labelled, by: SplitBy, seed: number, share = 0.2): TrainTest {
  if (by === 'stratified' || by === 'group') {
    const folds = foldsOf(dataset, Math.max(2, Math.round(1 / share)), by, seed)
    return trainTestOf(dataset, folds, 0, by)
  }
  const times = timesOf(dataset)
  const cut = cutMoment(times, share)
  const rows = Uint32Array.from(times.keys())
  const split = { train: rows.filter((row) => times[row]! < cut), test: rows.filter((row) => times[row]! >= cut) }
  return by === 'time+group' && dataset.groups ? onOneSide(split, dataset.groups, seed) : split
}

/** Rows by class, or by quantile of the label for a regression, each stratum in row order. */
function strataOf({ n, y, task }: Labelled): Uint32Array[] {
  if (task === 'regression') {
    const order = orderOf(y)
    const width = Math.max(1, Math.ceil(n / 20))
    return Array.from({ length: Math.ceil(n / width) }, (_, at) => order.slice(at * width, (at + 1) * width))
  }
  const byClass = new Map<number, number[]>()
  for (let row = 0; row < n; row++) {
    const rows = byClass.get(y[row]!)
    if (rows) rows.push(row)
    else byClass.set(y[row]!, [row])
  }
  return [...byClass].sort(([a], [b]) => a - b).map(([, rows]) => Uint32Array.from(rows))
}

/** Largest groups first (equal ones shuffled), each into the fold that stays most even in rows and in label. */
function groupFolds({ n, y, task, groups }: Labelled, k: number, seed: number): Int32Array {
  if (!groups) throw new Error('A split by group needs dataset.groups')
  const sizes = new Map<number, { rows: number; sum: number }>()
  for (let row = 0; row < n; row++) {
    const size = sizes.get(groups[row]!) ?? { rows: 0, sum: 0 }
    size.rows++
    size.sum += task === 'multiclass' ? (y[row] === 0 ? 1 : 0) : y[row]!
    sizes.set(groups[row]!, size)
  }
  const ids = Int32Array.from(sizes.keys())
  createRandom(seed).shuffle(ids)
  const bySize = [...ids].sort((a, b) => sizes.get(b)!.rows - sizes.get(a)!.rows)
  const totals = Array.from({ length: k }, () => ({ rows: 0, sum: 0 }))
  const wholeSum = [...sizes.values()].reduce((sum, size) => sum + Math.abs(size.sum), 0) || 1
  const foldByGroup = new Map<number, number>()
  for (const id of bySize) {
    const size = sizes.get(id)!
    let best = 0
    let least = Number.POSITIVE_INFINITY
    totals.forEach((total, fold) => {
      const load = 2 * ((2 * total.rows * size.rows + size.rows ** 2) / n ** 2)
      const tilt = (2 * total.sum * size.sum + size.sum ** 2) / wholeSum ** 2
      if (load + tilt < least) {
        least = load + tilt
        best = fold
      }
    })
    totals[best]!.rows += size.rows
    totals[best]!.sum += size.sum
    foldByGroup.set(id, best)
  }
  return Int32Array.from({ length: n }, (_, row) => foldByGroup.get(groups[row]!)!)
}

/** k+1 consecutive periods of similar row counts, numbered -1..k-1; rows of one moment stay together. */
function periodsOf(times: Float64Array, k: number): Int32Array {
  const order = orderOf(times)
  const n = times.length
  const periods = new Int32Array(n)
  let period = -1
  for (let at = 0; at < n; at++) {
    const isNewMoment = at > 0 && times[order[at]!]! > times[order[at - 1]!]!
    if (isNewMoment) period = Math.max(period, Math.min(k - 1, Math.floor((at * (k + 1)) / n) - 1))
    periods[order[at]!] = period
  }
  return periods
}

/** The distinct moment that leaves nearest to `share` of the rows at or after it, and never none before it. */
function cutMoment(times: Float64Array, share: number): number {
  const order = orderOf(times)
  const n = times.length
  let cut = Number.POSITIVE_INFINITY
  let nearest = Number.POSITIVE_INFINITY
  for (let at = 1; at < n; at++) {
    const moment = times[order[at]!]!
    if (moment === times[order[at - 1]!]! || !Number.isFinite(moment)) continue
    const distance = Math.abs((n - at) / n - share)
    if (distance < nearest) {
      nearest = distance
      cut = moment
    }
  }
  return cut
}

/** Draws the side of each group that stands on both; its rows on the other side are left out. */
function onOneSide({ train, test }: TrainTest, groups: Int32Array, seed: number): TrainTest {
  const trained = new Set(Array.from(train, (row) => groups[row]!))
  const random = createRandom(seed)
  const isTested = new Map<number, boolean>()
  for (const row of test) {
    const group = groups[row]!
    if (!isTested.has(group)) isTested.set(group, !trained.has(group) || random.next() < 1 / 3)
  }
  return {
    train: train.filter((row) => !isTested.get(groups[row]!)),
    test: test.filter((row) => isTested.get(groups[row]!)),
  }
}

function timesOf(dataset: Labelled): Float64Array {
  if (!dataset.times) throw new Error('A split by time needs dataset.times')
  return dataset.times
}
