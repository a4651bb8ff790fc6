import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { consoleReport } from '../../cli/try/console-report.ts'
import { parseDuration, parseNames, type TryOptions } from '../../cli/try/options.ts'
import { runTry } from '../../cli/try/run.ts'
import { createRandom } from '../../trainer/random.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inkling-try-'))
})
afterAll(() => rm(folder, { recursive: true }))

const optionsOf = (options: Partial<TryOptions> & { label: string }): TryOptions => ({
  drop: [],
  k: 1,
  budget: 60,
  seed: 7,
  // a thread costs more to start than so few rows to learn from
  threads: 1,
  learners: 'linear',
  calibration: 'platt',
  category: [],
  number: [],
  allowLeak: [],
  out: join(folder, 'out'),
  ...options,
})

async function fileOf(name: string, header: string, row: (at: number) => string, rows = 400): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `${[header, ...Array.from({ length: rows }, (_, at) => row(at))].join('\n')}\n`)
  return path
}

/** 400 customers; leaving depends on usage and plan, 30 owners have several customers each. */
async function customers(): Promise<string> {
  const random = createRandom(3)
  return fileOf('customers.csv', 'customerId,usage,plan,owner,since,left', (at) => {
    const usage = random.normal()
    const plan = ['basic', 'pro'][random.below(2)]!
    const left = random.next() < 1 / (1 + Math.exp(2 * usage + (plan === 'pro' ? 1 : -1))) ? 'Yes' : 'No'
    return `C${1000 + at},${usage.toFixed(3)},${plan},o${random.below(30)},2024-01-${String(1 + (at % 28)).padStart(2, '0')},${left}`
  })
}

describe('inkling try', () => {
  it('measures the slices that were asked for, and names a column that cannot be sliced', async () => {
    const path = await customers()
    const options = optionsOf({ label: 'left', id: 'customerId', slice: ['plan'] })
    const { slices, pooled } = await runTry(path, options, () => {})
    expect(slices.map(({ column, slice }) => `${column} ${slice}`).sort()).toEqual(['plan basic', 'plan pro'])
    expect(slices.reduce((sum, { rows }) => sum + rows, 0)).toBe(80)
    const brier = slices.reduce((sum, { rows, metrics }) => sum + rows * metrics!.brier!, 0) / 80
    expect(brier).toBeCloseTo(pooled.brier!, 9)
    await expect(runTry(path, { ...options, slice: ['usage'] }, () => {})).rejects.toThrow('it is a number')
    await expect(runTry(path, { ...options, slice: ['color'] }, () => {})).rejects.toMatchObject({
      hint: expect.stringContaining('plan'),
    })
  })

  it('trains on a file, writes an ONNX that answers, a report and the figures', async () => {
    const path = await customers()
    const result = await runTry(path, optionsOf({ label: 'left', learners: 'auto', k: 2 }), () => {})
    expect(result).toMatchObject({
      task: 'binary',
      rows: 400,
      features: 4,
      classes: ['No', 'Yes'],
      split: 'stratified',
    })
    expect(result.folds).toHaveLength(2)
    expect(result.folds.reduce((sum, fold) => sum + fold.test, 0)).toBe(400)
    expect(result.mean.auc).toBeGreaterThan(0.75)
    expect(result.mean.auc).toBeLessThan(0.95)
    expect(result.mean.auc).toBeCloseTo(result.folds.reduce((sum, fold) => sum + fold.metrics.auc!, 0) / 2, 12)
    expect(result.mean.logLoss).toBeLessThan(result.baseline.logLoss!)
    expect(result.intervals.auc![0]).toBeLessThan(result.pooled.auc!)
    expect(result.intervals.auc![1]).toBeGreaterThan(result.pooled.auc!)
    expect(result.coverage).toMatchObject({ rows: 400 })
    expect(result.leaderboard.length).toBeGreaterThanOrEqual(3)
    expect(result.warnings.join()).toContain('customerId is not used')

    const session = await InferenceSession.create(result.files[0]!)
    const features = ['usage', 'plan', 'owner', 'since']
    const usage = features.indexOf('usage')
    const rowOf = (value: number) => Float32Array.from(features, (_, at) => (at === usage ? value : Number.NaN))
    const probabilityAt = async (value: number): Promise<number> => {
      const answer = await session.run({ X: new Tensor('float32', rowOf(value), [1, 4]) })
      return Number(answer.probability!.data[0])
    }
    expect(await probabilityAt(-2)).toBeGreaterThan(0.7)
    expect(await probabilityAt(2)).toBeLessThan(0.3)
    await session.release()

    const html = await readFile(result.files[1]!, 'utf8')
    expect(html).toContain('<svg')
    expect(html).not.toMatch(/<script|https?:\/\/|<link|@import|NaN|undefined/)
    expect(JSON.parse(await readFile(result.files[2]!, 'utf8'))).toEqual(JSON.parse(JSON.stringify(result)))
    const text = consoleReport(result)
    for (const part of ['customers.csv: 400 rows', 'Leaderboard', 'AUC', 'Reliability', 'usage', 'model.onnx']) {
      expect(text).toContain(part)
    }
    expect(text).not.toMatch(/NaN|undefined/)
  })

  it('tests each row in the fold that its file gives, in row order', async () => {
    const path = await customers()
    const folds = await fileOf(
      'folds.csv',
      'other,cv',
      (at) => `0,${at < 100 ? 'late' : at % 2 === 0 ? 'even' : 'odd'}`,
    )
    const result = await runTry(path, optionsOf({ label: 'left', folds: `${folds}:cv` }), () => {})
    expect(result.split).toBe('given')
    expect(result.folds.map((fold) => [fold.fold, fold.train, fold.test])).toEqual([
      ['late', 300, 100],
      ['even', 250, 150],
      ['odd', 250, 150],
    ])
    await expect(runTry(path, optionsOf({ label: 'left', folds: `${folds}:absent` }), () => {})).rejects.toThrow(
      'absent',
    )
    await expect(runTry(path, optionsOf({ label: 'left', folds: folds }), () => {})).rejects.toThrow('2 columns')
    const short = await fileOf('short.csv', 'cv', (at) => `${at % 2}`, 399)
    await expect(runTry(path, optionsOf({ label: 'left', folds: short }), () => {})).rejects.toThrow(
      '399 rows, the data 400',
    )
  })

  it('splits by group and by time when those are named, and leaves them out as features', async () => {
    const path = await customers()
    const byGroup = await runTry(path, optionsOf({ label: 'left', group: 'owner' }), () => {})
    expect(byGroup).toMatchObject({ split: 'group', features: 3 })
    const byTime = await runTry(path, optionsOf({ label: 'left', time: 'since', drop: ['owner'], k: 2 }), () => {})
    expect(byTime).toMatchObject({ split: 'time', features: 2 })
    expect(byTime.folds[0]!.train).toBeLessThan(byTime.folds[1]!.train)
  })

  it('stops on a leak by name, and goes on when it is allowed', async () => {
    const random = createRandom(4)
    const path = await fileOf('leak.csv', 'usage,refund,left', () => {
      const left = random.below(2)
      return `${random.normal().toFixed(3)},${left ? '' : random.below(50)},${left}`
    })
    await expect(runTry(path, optionsOf({ label: 'left' }), () => {})).rejects.toMatchObject({
      code: 'LEAK',
      message: expect.stringContaining('refund'),
      hint: expect.stringContaining('--drop refund'),
    })
    const result = await runTry(path, optionsOf({ label: 'left', allowLeak: ['refund'] }), () => {})
    expect(result.mean.auc).toBeGreaterThan(0.95)
    expect(result.warnings.join()).toContain('Allowed leak: refund')
  })

  it('predicts numbers and three classes', async () => {
    const random = createRandom(5)
    const numbers = await fileOf('numbers.csv', 'x,z,y', () => {
      const x = random.normal()
      return `${x.toFixed(3)},${random.normal().toFixed(3)},${(100 + 20 * x + 5 * random.normal()).toFixed(2)}`
    })
    const regression = await runTry(numbers, optionsOf({ label: 'y', learners: 'auto' }), () => {})
    expect(regression.task).toBe('regression')
    expect(regression.mean.r2).toBeGreaterThan(0.85)
    expect(regression.coverage!.covered).toBeGreaterThan(0.8)
    const classes = await fileOf('classes.csv', 'x,kind', () => {
      const kind = random.below(3)
      return `${(kind + random.normal()).toFixed(3)},${['red', 'green', 'blue'][kind]}`
    })
    const multiclass = await runTry(classes, optionsOf({ label: 'kind' }), () => {})
    expect(multiclass).toMatchObject({ task: 'multiclass', classes: ['blue', 'green', 'red'] })
    expect(multiclass.mean.accuracy).toBeGreaterThan(0.45)
    for (const { files } of [regression, multiclass]) {
      expect(await readFile(files[1]!, 'utf8')).not.toMatch(/NaN|undefined/)
    }
  })

  it('warns of imbalance, repeated rows and folds that differ', async () => {
    const random = createRandom(6)
    const made = Array.from(
      { length: 800 },
      () => `${random.normal().toFixed(4)},${random.below(50)},${Number(random.next() < 0.04)}`,
    )
    const path = await fileOf('rare.csv', 'x,z,y', (at) => made[at < 800 ? at : at - 800]!, 1000)
    const folds = await fileOf(
      'rare-folds.csv',
      'cv',
      (at) => `${Number(Number(made[at % 800]!.split(',')[0]) > 0)}`,
      1000,
    )
    const { warnings } = await runTry(path, optionsOf({ label: 'y', folds }), () => {})
    expect(warnings.join('\n')).toMatch(/Imbalance: [345]\.\d+ % of the rows are 1/)
    expect(warnings.join('\n')).toMatch(/200 rows \(20\.0 %\) repeat/)
    expect(warnings.join('\n')).toMatch(/Drifted folds: x in fold 0/)
  })

  it.each([
    [{ label: 'lefd' }, 'no column lefd', 'Nearest: left'],
    [{ label: 'left', drop: ['nope'] }, '--drop', 'Nearest'],
    [{ label: 'left', time: 'plan' }, 'neither dates nor numbers', 'Write dates'],
    [{ label: 'left', drop: ['usage', 'plan', 'owner', 'since'] }, 'can be learned from', 'Keep at least one'],
  ])('answers %j with what is wrong and what to do', async (options, message, hint) => {
    await expect(runTry(await customers(), optionsOf(options), () => {})).rejects.toMatchObject({
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    })
  })
})

describe('options', () => {
  it('read durations and lists', () => {
    expect(['90', '90s', '2m', '1.5h', '500ms'].map(parseDuration)).toEqual([90_000, 90_000, 120_000, 5_400_000, 500])
    expect(() => parseDuration('soon')).toThrow('duration')
    expect(parseNames('a, b,,c\\,d', ['z'])).toEqual(['z', 'a', 'b', 'c,d'])
  })
})

it('the command exits with 1 and says why, and prints nothing but JSON with --json', async () => {
  const path = await customers()
  const script = join(folder, 'run.ts')
  const root = new URL('../../', import.meta.url).pathname
  await writeFile(
    script,
    `import { tryCommand } from '${root}cli/try.ts'\nawait tryCommand().parseAsync(process.argv.slice(2), { from: 'user' })\n`,
  )
  const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [script, ...args], { cwd: folder }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
      })
    })
  const [wrong, right] = await Promise.all([
    run(path, '--label', 'lost'),
    run(path, '--label', 'left', '--k', '1', '--budget', '200ms', '--learners', 'linear', '--json'),
  ])
  expect(wrong).toMatchObject({ code: 1, stdout: '' })
  expect(wrong.stderr).toContain('no column lost')
  expect(right.code).toBe(0)
  const result = JSON.parse(right.stdout)
  expect(Object.keys(result)).toEqual(
    expect.arrayContaining(['task', 'rows', 'features', 'leaderboard', 'folds', 'mean', 'warnings']),
  )
  expect(result.folds).toHaveLength(1)
  expect(result.files[0]).toBe(join('inkling-try', 'customers', 'model.onnx'))
})
