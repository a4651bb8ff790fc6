import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  answer,
  type Dataset,
  interval,
  type Progress,
  parseExplainer,
  TrainerError,
  type TrainOptions,
  train,
} from '../../trainer/index.ts'
import { measure } from '../../trainer/metrics.ts'
import { largestGap, runOnnx } from './onnx.ts'
import { syntheticDataset } from './synthetic.ts'

// A thread costs more to start than so few rows to learn from.
const quick: TrainOptions = { candidates: 'quick', threads: 1 }
const apart: TrainOptions = { ...quick, threads: 2 }
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function refusal(dataset: Dataset, options: TrainOptions = quick): Promise<TrainerError> {
  const error = await train(dataset, options).then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(TrainerError)
  return error as TrainerError
}

describe('train', () => {
  it.each(['binary', 'multiclass', 'regression'] as const)('makes a %s model that beats its baseline', async (task) => {
    const dataset = syntheticDataset(1500, { task, seed: 21 })
    const artefact = await train(dataset, quick)
    const { metrics, splits, leaderboard, golden, importances, statistics } = artefact
    const loss = task === 'regression' ? 'rmse' : 'logLoss'
    expect(metrics[loss]!).toBeLessThan(0.93 * splits[0]!.baseline[loss]!)
    expect(leaderboard.filter((row) => row.chosen)).toHaveLength(1)
    expect(importances.map((row) => row.feature).sort()).toEqual(dataset.columns.map((column) => column.name).sort())
    expect(statistics).toHaveLength(dataset.columns.length)
    const x = Float32Array.from(golden.x.flat(), (value) => value ?? Number.NaN)
    expect(largestGap(golden.y, await runOnnx(artefact.onnx, x, dataset.columns.length))).toBeLessThan(1e-5)
    const explainer = parseExplainer(artefact.explainer)
    expect(Array.from(answer(explainer, x))).toEqual(golden.y)
    const { low, high } = interval(explainer, golden.y)
    golden.y.forEach((value, i) => {
      expect(low[i]!).toBeLessThanOrEqual(value)
      expect(high[i]!).toBeGreaterThanOrEqual(value)
    })
  })

  it('gives the same bytes twice, on one thread and on two, and from the recorded choice', async () => {
    const dataset = syntheticDataset(400, { seed: 5 })
    const [first, single] = await Promise.all([train(dataset, apart), train(dataset, quick)])
    const repeated = await train(dataset, { threads: 2, candidates: JSON.parse(JSON.stringify(first.choice)) })
    for (const other of [single, repeated]) {
      expect(hashOf(other.onnx)).toBe(hashOf(first.onnx))
      expect(hashOf(other.explainer)).toBe(hashOf(first.explainer))
      expect(other.metrics).toEqual(first.metrics)
    }
    const reseeded = await train(dataset, { ...quick, seed: 8 })
    expect(hashOf(reseeded.onnx)).not.toBe(hashOf(first.onnx))
  })

  it('repeats a search under the clock from its recorded choice', async () => {
    const dataset = syntheticDataset(300, { seed: 31 })
    const searched = await train(dataset, { budgetMs: 1200, threads: 2 })
    const repeated = await train(dataset, { candidates: searched.choice, threads: 2 })
    expect(hashOf(repeated.onnx)).toBe(hashOf(searched.onnx))
    expect(searched.leaderboard.length).toBeGreaterThan(3)
  })

  it('never has a learner on both sides of a group split', async () => {
    const dataset = syntheticDataset(400, { seed: 6 })
    const groups = Int32Array.from({ length: dataset.n }, (_, row) => row % 40)
    const artefact = await train({ ...dataset, groups }, quick)
    expect(artefact.splits[0]!.by).toBe('group')
    const held = new Set(Array.from(artefact.heldOut.rows, (row) => groups[row]!))
    const heldRows = new Set(artefact.heldOut.rows)
    expect(groups.some((group, row) => held.has(group) && !heldRows.has(row))).toBe(false)
    expect(artefact.heldOut.answers).toHaveLength(artefact.heldOut.rows.length)
  })

  it('reports each wanted split, by time and group first where both are known', async () => {
    const dataset = syntheticDataset(500, { seed: 7 })
    const times = Float64Array.from({ length: dataset.n }, (_, row) => 1e12 + row * 3_600_000)
    const groups = Int32Array.from({ length: dataset.n }, (_, row) => row % 100)
    const artefact = await train({ ...dataset, groups, times }, quick)
    expect(artefact.splits.map((split) => split.by)).toEqual(['time+group'])
    const several = await train({ ...dataset, times }, { ...quick, splits: ['time', 'group', 'stratified'] })
    expect(several.splits.map((split) => split.by)).toEqual(['time', 'stratified'])
    expect(several.warnings.join()).toContain('no groups')
  })

  it('judges every row once on given folds and reports the mean', async () => {
    const dataset = syntheticDataset(300, { seed: 12 })
    const givenFolds = Int32Array.from({ length: dataset.n }, (_, row) => row % 3)
    const artefact = await train(dataset, { ...quick, givenFolds })
    expect(artefact.splits.map((split) => split.fold)).toEqual([0, 1, 2])
    expect([...artefact.heldOut.rows].sort((a, b) => a - b)).toEqual(Array.from({ length: dataset.n }, (_, row) => row))
    const mean = artefact.splits.reduce((sum, split) => sum + split.metrics.auc!, 0) / 3
    expect(artefact.metrics.auc).toBeCloseTo(mean, 12)
  })

  it('learns from every row and judges nothing where no split is wanted', async () => {
    const dataset = syntheticDataset(300, { seed: 14 })
    const artefact = await train(dataset, { ...quick, splits: [] })
    expect(artefact).toMatchObject({ splits: [], metrics: {}, intervals: {}, slices: [], coverage: null })
    expect(artefact.heldOut.rows).toHaveLength(0)
    expect(artefact.importances.every(({ permutation }) => permutation === null)).toBe(true)
    const x = Float32Array.from(artefact.golden.x.flat(), (value) => value ?? Number.NaN)
    expect(largestGap(artefact.golden.y, await runOnnx(artefact.onnx, x, dataset.columns.length))).toBeLessThan(1e-5)
    const repeated = await train(dataset, { candidates: artefact.choice, splits: [] })
    expect(hashOf(repeated.onnx)).toBe(hashOf(artefact.onnx))
  })

  it('keeps monotone columns monotone', async () => {
    const dataset = syntheticDataset(1500, { numbers: 3, levels: [4], seed: 13, isUgly: false })
    const columns = dataset.columns.map((column, f) => (f === 0 ? { ...column, monotone: -1 as const } : column))
    const artefact = await train({ ...dataset, columns }, { ...quick, learners: 'boosted' })
    const explainer = parseExplainer(artefact.explainer)
    const width = columns.length
    for (let row = 0; row < 20; row++) {
      const sweep = new Float32Array(50 * width)
      for (let i = 0; i < 50; i++) {
        sweep.set(dataset.x.subarray(row * width, (row + 1) * width), i * width)
        sweep[i * width] = -300 + i * 12
      }
      const answers = answer(explainer, sweep)
      for (let i = 1; i < 50; i++) expect(answers[i]!).toBeLessThanOrEqual(answers[i - 1]! + 1e-12)
    }
  })

  it('adds trees to an earlier version on new rows', async () => {
    const old = await train(syntheticDataset(800, { seed: 41 }), { ...quick, learners: 'boosted' })
    const dataset = syntheticDataset(800, { seed: 41, isUgly: true })
    const again = await train(dataset, { ...quick, learners: 'boosted', continueFrom: old.explainer })
    const before = parseExplainer(old.explainer).model.forest!
    const after = parseExplainer(again.explainer).model.forest!
    expect(after.roots.length).toBeGreaterThan(before.roots.length)
    expect(after.value.subarray(0, before.value.length)).toEqual(before.value)
    const x = Float32Array.from(again.golden.x.flat(), (value) => value ?? Number.NaN)
    expect(largestGap(again.golden.y, await runOnnx(again.onnx, x, dataset.columns.length))).toBeLessThan(1e-5)
    const other = syntheticDataset(800, { numbers: 5 })
    expect((await refusal(other, { ...quick, continueFrom: old.explainer })).code).toBe('CANNOT_CONTINUE')
  })

  it('keeps probabilities calibrated under class weights and moves the threshold by costs', async () => {
    const dataset = syntheticDataset(2000, { seed: 15 })
    const rare = Uint32Array.from({ length: dataset.n }, (_, row) => row).filter(
      (row) => dataset.y[row] === 0 || row % 5 === 0,
    )
    const width = dataset.columns.length
    const x = new Float32Array(rare.length * width)
    rare.forEach((row, i) => {
      x.set(dataset.x.subarray(row * width, (row + 1) * width), i * width)
    })
    const thinned = { ...dataset, n: rare.length, x, y: Float32Array.from(rare, (row) => dataset.y[row]!) }
    const artefact = await train(thinned, {
      ...quick,
      classWeights: 'balanced',
      costs: { falsePositive: 1, falseNegative: 20 },
    })
    const seen = artefact.heldOut.rows.reduce((sum, row) => sum + thinned.y[row]!, 0) / artefact.heldOut.rows.length
    const said = artefact.heldOut.answers.reduce((sum, p) => sum + p, 0) / artefact.heldOut.rows.length
    expect(Math.abs(said - seen)).toBeLessThan(0.06)
    expect(artefact.metrics.threshold!).toBeLessThan(0.3)
    expect(artefact.metrics.recall!).toBeGreaterThan(0.8)
  })

  it('judges at the declared threshold, intervals and slices too', async () => {
    const dataset = syntheticDataset(800, { seed: 15 })
    const colour = dataset.columns.find(({ kind }) => kind === 'category')!.name
    const artefact = await train(dataset, { ...quick, threshold: 0.2, slices: [colour] })
    const { rows, answers } = artefact.heldOut
    const y = Float32Array.from(rows, (row) => dataset.y[row]!)
    const { recall, precision } = measure('binary', y, answers, { threshold: 0.2 })
    expect(artefact.metrics).toMatchObject({ threshold: 0.2, recall, precision })
    expect(recall).not.toBe(measure('binary', y, answers).recall)
    const [low, high] = artefact.intervals.recall!
    expect(low).toBeLessThanOrEqual(recall!)
    expect(high).toBeGreaterThanOrEqual(recall!)
    const of = dataset.columns.findIndex(({ name }) => name === colour)
    const { slice, metrics } = artefact.slices.toSorted((one, other) => other.rows - one.rows)[0]!
    const level = dataset.columns[of]!.levels!.indexOf(slice)
    const members = [...rows.keys()].filter((at) => dataset.x[rows[at]! * dataset.columns.length + of] === level)
    const own = members.map((at) => answers[at]!)
    expect(metrics).toMatchObject({
      recall: measure(
        'binary',
        members.map((at) => y[at]!),
        own,
        { threshold: 0.2 },
      ).recall,
    })
  })
})

describe('train refuses with a name', () => {
  const good = syntheticDataset(200, { seed: 51 })
  const empty = new Float32Array(0)

  it.each<[string, Dataset, string]>([
    ['no column', { ...good, columns: [], x: empty }, 'NO_COLUMNS'],
    ['no row', { ...good, n: 0, x: empty, y: empty }, 'NO_ROWS'],
    ['one row', { ...good, n: 1, x: good.x.slice(0, good.columns.length), y: good.y.slice(0, 1) }, 'NOT_ENOUGH_ROWS'],
    ['one class', { ...good, y: good.y.map(() => 1) }, 'ONE_CLASS'],
    ['a constant value', { ...good, task: 'regression', y: good.y.map(() => 2.5) }, 'ONE_CLASS'],
    [
      'a label that is no class',
      { ...good, y: good.y.map((_, row) => (row === 17 ? Number.NaN : row % 2)) },
      'BAD_LABEL',
    ],
    ['three positives', { ...good, y: good.y.map((_, row) => (row < 3 ? 1 : 0)) }, 'NOT_ENOUGH_ROWS'],
    ['too few cells', { ...good, x: good.x.slice(1) }, 'BAD_DATASET'],
  ])('%s', async (_, dataset, code) => {
    const error = await refusal(dataset)
    expect(error.code).toBe(code)
    expect(error.hint).not.toBe('')
  })

  it('a column that equals the label, unless it is allowed', async () => {
    const width = good.columns.length
    const x = good.x.slice()
    for (let row = 0; row < good.n; row++) x[row * width] = good.y[row]!
    const error = await refusal({ ...good, x })
    expect(error.code).toBe('LEAK')
    expect(error.message).toContain('number0')
    const artefact = await train({ ...good, x }, { ...quick, allowLeaks: ['number0'] })
    expect(artefact.warnings.join()).toContain('number0')
  })

  it('nothing when every cell is missing: the answer is the base rate', async () => {
    const artefact = await train({ ...good, x: good.x.map(() => Number.NaN) }, quick)
    const rate = good.y.reduce((sum, label) => sum + label, 0) / good.n
    expect(Math.abs(artefact.golden.y[0]! - rate)).toBeLessThan(0.05)
  })
})

describe('a training under way', () => {
  it('leaves the event loop free, tells its progress and never goes back', async () => {
    const dataset = syntheticDataset(12_000, { numbers: 10, seed: 61 })
    const seen: Progress[] = []
    // CPU time of this thread between two ticks: a busy machine stretches the wall time of a turn, not this
    const used = () => Object.values(process.threadCpuUsage()).reduce((sum, microseconds) => sum + microseconds) / 1000
    let last = used()
    let longest = 0
    const timer = setInterval(() => {
      const now = used()
      longest = Math.max(longest, now - last)
      last = now
    }, 1)
    await train(dataset, { ...apart, learners: 'boosted' }, { onProgress: (progress) => seen.push(progress) })
    clearInterval(timer)
    expect(longest).toBeLessThan(50)
    expect(seen.length).toBeGreaterThan(3)
    expect(seen.at(-1)).toMatchObject({ done: 100, total: 100 })
    for (let i = 1; i < seen.length; i++) expect(seen[i]!.done).toBeGreaterThanOrEqual(seen[i - 1]!.done)
  })

  it('stops at once when aborted', async () => {
    const dataset = syntheticDataset(30_000, { numbers: 12, seed: 62 })
    const stop = new AbortController()
    let abortedAt = 0
    let rounds = 0
    const running = train(dataset, apart, {
      signal: stop.signal,
      onProgress: () => {
        rounds++
        if (rounds !== 3) return
        abortedAt = performance.now()
        stop.abort()
      },
    })
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' })
    expect(performance.now() - abortedAt).toBeLessThan(100)
    expect(rounds).toBe(3)
    await expect(train(dataset, quick, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})
