import { describe, expect, it } from 'vitest'
import type { TrainOptions } from '../../trainer/index.ts'
import { runStudy } from '../../trainer/study.ts'
import { checkDataset } from '../../trainer/validation.ts'
import { syntheticDataset } from './synthetic.ts'

// what the conductor thread runs, here on the test's own thread
const quick: TrainOptions = { candidates: 'quick' }
const study = (dataset: Parameters<typeof runStudy>[0], options: TrainOptions = quick) =>
  runStudy(dataset, options, 2, () => {})

describe('a study', () => {
  it('searches within its budget and blends where that wins on folds', async () => {
    const dataset = syntheticDataset(1500, { seed: 81 })
    const artefact = await study(dataset, { budgetMs: 4000 })
    const { leaderboard, choice } = artefact
    const chosen = leaderboard[0]!
    expect(chosen.chosen).toBe(true)
    expect(chosen.logLoss).toBeLessThanOrEqual(Math.min(...leaderboard.map((row) => row.logLoss)))
    if (choice.linear && choice.boosted) {
      expect(choice.linearShare).toBeGreaterThan(0)
      expect(choice.linearShare).toBeLessThan(1)
    }
    expect(artefact.coverage!.covered).toBeGreaterThan(0.7)
    const [low, high] = artefact.intervals.auc!
    expect(low).toBeLessThan(artefact.metrics.auc!)
    expect(high).toBeGreaterThan(artefact.metrics.auc!)
  })

  it('compares candidates of a large table on a sample and judges the winners on all rows', async () => {
    const dataset = syntheticDataset(66_000, { numbers: 3, levels: [], seed: 82, isUgly: false })
    const groups = Int32Array.from({ length: dataset.n }, (_, row) => row % 5000)
    const artefact = await study({ ...dataset, groups }, { ...quick, learners: 'linear' })
    const samples = artefact.leaderboard.filter((row) => row.learner.includes('compared on'))
    expect(samples).toHaveLength(1)
    expect(artefact.metrics.auc!).toBeGreaterThan(0.7)
  }, 120_000)

  it('covers nine of ten held-out rows of a regression', async () => {
    const artefact = await study(syntheticDataset(2000, { task: 'regression', seed: 83 }))
    expect(artefact.coverage!.covered).toBeGreaterThan(0.85)
    expect(artefact.coverage!.covered).toBeLessThan(0.95)
    expect(artefact.intervals.rmse![0]).toBeLessThan(artefact.metrics.rmse!)
  })

  it('slices the metrics by level and compares with the last known value', async () => {
    const dataset = syntheticDataset(2500, { seed: 84, levels: [3] })
    const artefact = await study(dataset, { ...quick, slices: ['level0', 'number0', 'nothing'], lastKnown: 'number1' })
    expect(artefact.slices.map((slice) => slice.slice)).toEqual(['v0', 'v1', 'v2'])
    expect(artefact.slices.every((slice) => slice.metrics === null || slice.metrics.logLoss !== undefined)).toBe(true)
    expect(artefact.splits[0]!.baseline['lastKnown.auc']).toBeGreaterThan(0.4)
  })

  it('calibrates three classes and explains itself through one table a class', async () => {
    const artefact = await study(syntheticDataset(900, { task: 'multiclass', seed: 85 }), {
      ...quick,
      givenFolds: Int32Array.from({ length: 900 }, (_, row) => row % 2),
    })
    expect(artefact.coverage).toBeNull()
    expect(artefact.golden.y).toHaveLength(3 * artefact.golden.x.length)
    expect(artefact.heldOut.answers).toHaveLength(2700)
  })

  it.each(['absolute', 'poisson'] as const)('learns counts by %s error', async (objective) => {
    const dataset = syntheticDataset(1200, { task: 'regression', seed: 86 })
    const y = dataset.y.map((value) => Math.max(0, Math.round(2 + value)))
    const artefact = await study({ ...dataset, y }, { ...quick, objective })
    expect(artefact.metrics.mae!).toBeLessThan(artefact.splits[0]!.baseline.mae!)
  })

  it('calibrates by isotonic regression where that is wanted', async () => {
    const artefact = await study(syntheticDataset(1500, { seed: 87 }), { ...quick, calibration: 'isotonic' })
    expect(artefact.metrics.logLoss!).toBeLessThan(artefact.splits[0]!.baseline.logLoss!)
  })

  it('warns of rare classes, useless columns and splits that the rows do not allow', async () => {
    const dataset = syntheticDataset(1500, { seed: 88 })
    const width = dataset.columns.length
    const x = dataset.x.slice()
    for (let row = 0; row < dataset.n; row++) x[row * width + 1] = 4
    const y = dataset.y.map((label, row) => (label === 1 && row % 20 === 0 ? 1 : 0))
    const times = new Float64Array(dataset.n).fill(1e12)
    const artefact = await study({ ...dataset, x, y, times })
    const said = artefact.warnings.join('\n')
    expect(said).toContain('rarer class')
    expect(said).toContain('number1')
    expect(said).toContain('No split by time')
    expect(artefact.splits.map((split) => split.by)).toEqual(['stratified'])
  })

  it('refuses negative counts', async () => {
    const dataset = syntheticDataset(200, { task: 'regression', seed: 89 })
    await expect(study(dataset, { ...quick, objective: 'poisson' })).rejects.toMatchObject({ code: 'BAD_LABEL' })
  })
})

describe('checkDataset', () => {
  const good = syntheticDataset(100, { seed: 90 })

  it('lets good rows pass', () => {
    expect(() => checkDataset(good, {})).not.toThrow()
  })

  it.each([
    ['weights', { ...good, weights: good.y.map(() => -1) }, {}],
    ['groups', { ...good, groups: new Int32Array(3) }, {}],
    ['givenFolds', good, { givenFolds: new Int32Array(7) }],
  ])('names bad %s', (name, dataset, options) => {
    expect(() => checkDataset(dataset, options)).toThrow(name === 'weights' ? 'weighs -1' : name)
  })
})
