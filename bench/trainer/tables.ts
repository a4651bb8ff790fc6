/**
 * Our figures and scikit-learn's on the same folds of real tables, as markdown.
 *
 *   node bench/trainer/tables.ts [data folder] [--budget 60s] [--only telco] [--write docs/trainer-figures.md]
 *
 * The data folder (default ../shared/data) is no part of the repository; without it, or without /usr/bin/python3 and its
 * sklearn, that part is skipped with the reason.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readCsv } from '../../cli/try/csv.ts'
import { parseDuration } from '../../cli/try/options.ts'
import type { TryResult } from '../../cli/try/result.ts'
import { runTry } from '../../cli/try/run.ts'

interface Task {
  readonly name: string
  readonly file: string
  readonly label: string
  readonly positive?: string
  readonly drop: readonly string[]
  /** Codes that scikit-learn's side is to read as categories; ours finds out. */
  readonly category?: readonly string[]
  readonly group?: string
  readonly folds: string
  readonly column: string
  /** What the project has set itself to reach. */
  readonly reach: Record<string, number>
}

type Scores = Record<'auc' | 'logLoss' | 'rmse' | 'r2' | 'seconds', number>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    budget: { type: 'string', default: '60s' },
    only: { type: 'string', default: '' },
    write: { type: 'string' },
  },
})
const source = positionals[0] ?? '../shared/data'

async function main(): Promise<void> {
  if (!existsSync(join(source, 'folds'))) {
    console.log(
      `Skipped: no tables in ${source}. Give the folder that holds folds/, telco-churn/, oulad/ and the others.`,
    )
    return
  }
  const folder = await mkdtemp(join(tmpdir(), 'inkling-tables-'))
  try {
    const peer = peerVersion()
    const lines = [
      `| task (5 folds) | reach | Inkling | seconds | ECE pooled | scikit-learn linear | scikit-learn boosted | reached |`,
      '|---|---|---|---|---|---|---|---|',
    ]
    for (const task of (await tasksIn(folder)).filter((entry) => entry.name.includes(values.only))) {
      const ours = await runTry(task.file, optionsOf(task, folder), () => {})
      const theirs = peer ? await scikit(task) : undefined
      const line = lineOf(task, ours, theirs)
      console.log(line)
      lines.push(line)
    }
    const text = document(lines, peer)
    console.log(`\n${text}`)
    if (values.write) await writeFile(values.write, text)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function tasksIn(folder: string): Promise<Task[]> {
  const struggle = join(folder, 'struggle.csv')
  await joinLearners(struggle)
  const folds = (name: string): string => join(source, 'folds', `${name}.csv`)
  const oulad = {
    file: struggle,
    label: 'struggle',
    positive: '1',
    drop: ['id_student'],
    category: ['id_assessment'],
    folds: folds('oulad-assessment-struggle'),
    reach: { auc: 0.861, logLoss: 0.3076, ece: 0.01 },
  }
  return [
    {
      name: 'telco-churn',
      file: join(source, 'telco-churn/WA_Fn-UseC_-Telco-Customer-Churn.csv'),
      label: 'Churn',
      positive: 'Yes',
      drop: ['customerID'],
      folds: folds('telco-churn'),
      column: 'cv',
      reach: { auc: 0.846, logLoss: 0.417 },
    },
    {
      name: 'bank-marketing-no-duration',
      file: join(source, 'bank-marketing/bank-full.csv'),
      label: 'y',
      positive: 'yes',
      drop: ['duration'],
      folds: folds('bank-marketing-no-duration'),
      column: 'cv',
      reach: { auc: 0.8, logLoss: 0.283, ece: 0.01 },
    },
    { ...oulad, name: 'oulad-assessment-struggle', column: 'cv' },
    { ...oulad, name: 'oulad-assessment-struggle by learner', column: 'group_cv' },
    {
      name: 'oulad-at-risk-day0',
      file: join(source, 'oulad/derived_at_risk_day0.csv'),
      label: 'at_risk',
      positive: '1',
      drop: ['id_student'],
      folds: folds('oulad-at-risk-day0'),
      column: 'cv',
      reach: { auc: 0.716, logLoss: 0.617 },
    },
    {
      name: 'california-housing',
      file: join(source, 'california-housing/housing.csv'),
      label: 'median_house_value',
      drop: [],
      folds: folds('california-housing'),
      column: 'cv',
      reach: { rmse: 47_500, r2: 0.83 },
    },
  ]
}

/** The struggle table with the learner's columns of studentInfo; final_result is known only at the end and stays out. */
async function joinLearners(to: string): Promise<void> {
  const keys = ['code_module', 'code_presentation', 'id_student']
  const learners = new Map<string, string[]>()
  let take: number[] = []
  let keyAt: number[] = []
  let names: string[] = []
  const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const header = (all: string[]): void => {
    keyAt = keys.map((key) => all.indexOf(key))
    take = all.flatMap((name, at) => (keys.includes(name) || name === 'final_result' ? [] : [at]))
    names = take.map((at) => all[at]!)
  }
  await readCsv(join(source, 'oulad/studentInfo.csv'), header, (cells) => {
    learners.set(
      keyAt.map((at) => cells[at]!).join(),
      take.map((at) => cell(cells[at]!)),
    )
  })
  const lines: string[] = []
  await readCsv(
    join(source, 'oulad/derived_assessment_struggle.csv'),
    (all) => {
      lines.push([...all, ...names].join())
      keyAt = keys.map((key) => all.indexOf(key))
    },
    (cells) => {
      const learner = learners.get(keyAt.map((at) => cells[at]!).join()) ?? names.map(() => '')
      lines.push([...cells.map(cell), ...learner].join())
    },
  )
  await writeFile(to, `${lines.join('\n')}\n`)
}

function optionsOf(task: Task, folder: string): Parameters<typeof runTry>[1] {
  return {
    label: task.label,
    ...(task.positive === undefined ? {} : { positive: task.positive }),
    drop: task.drop,
    folds: `${task.folds}:${task.column}`,
    k: 5,
    budget: parseDuration(values.budget),
    seed: 7,
    learners: 'auto',
    calibration: 'platt',
    category: [],
    number: [],
    allowLeak: [],
    out: join(folder, task.name),
  }
}

function peerVersion(): string | undefined {
  const probe = spawnSync('/usr/bin/python3', ['-c', 'import sklearn, pandas; print(sklearn.__version__)'], {
    encoding: 'utf8',
  })
  if (probe.status === 0) return probe.stdout.trim()
  console.log(
    'Skipped scikit-learn: /usr/bin/python3 has no sklearn and pandas (Debian: python3-sklearn python3-pandas).',
  )
  return undefined
}

/** Waiting threads sleep: on a shared machine spinning makes HistGradientBoosting ten times slower than it is. */
const passive = ['OMP_WAIT_POLICY=passive']

function scikit(task: Task): Promise<Record<'linear' | 'boosted', Scores>> {
  return new Promise((resolve, reject) => {
    const script = new URL('tables.py', import.meta.url).pathname
    const child = execFile('/usr/bin/env', [...passive, '/usr/bin/python3', script], (error, stdout) => {
      if (error) reject(error)
      else resolve(JSON.parse(stdout))
    })
    child.stdin!.end(JSON.stringify(task))
  })
}

function lineOf(task: Task, ours: TryResult, theirs: Record<'linear' | 'boosted', Scores> | undefined): string {
  const [first, second] = ours.task === 'regression' ? (['rmse', 'r2'] as const) : (['auc', 'logLoss'] as const)
  const figure = (value: number | null | undefined): string =>
    value == null ? '' : Math.abs(value) > 100 ? Math.round(value).toLocaleString('en') : value.toFixed(4)
  const pair = (scores: Partial<Record<string, number | null>>): string =>
    `${figure(scores[first])} / ${figure(scores[second])}`
  const peer = (scores: Scores | undefined): string =>
    scores ? `${pair(scores)} (${scores.seconds.toFixed(0)} s)` : ''
  const risesWith = new Set(['auc', 'r2'])
  const isReached = Object.entries(task.reach).every(([name, bound]) => {
    const value = ours.mean[name]
    return value != null && (risesWith.has(name) ? value >= bound : value <= bound)
  })
  return [
    '',
    ` ${task.name} `,
    ` ${pair(task.reach)} `,
    ` **${pair(ours.mean)}** `,
    ` ${ours.seconds.toFixed(0)} `,
    ` ${figure(ours.mean.ece)} `,
    ` ${peer(theirs?.linear)} `,
    ` ${peer(theirs?.boosted)} `,
    ` ${isReached ? 'yes' : 'no'} `,
    '',
  ].join('|')
}

function document(lines: readonly string[], peer: string | undefined): string {
  return `# The trainer's figures

Written by \`node bench/trainer/tables.ts\` with a search budget of ${values.budget} a table on ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}${peer ? `, scikit-learn ${peer}` : ''}.
Pairs are AUC / log-loss, or RMSE / R2, means of the five given folds; seconds include search, five trainings with calibration, and the final one.
scikit-learn: logistic (ridge) regression on median-imputed, scaled and one-hot columns; HistGradientBoosting with its defaults.

${lines.join('\n')}
`
}

await main()
