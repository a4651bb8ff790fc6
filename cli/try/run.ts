import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InklingError } from '../../platform/errors.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import { splitFor } from '../../trainer/folds.ts'
import { columnFindings, findLeaks } from '../../trainer/leaks.ts'
import { datasetOf } from './dataset.ts'
import { evaluate, planFolds, planGiven } from './evaluation.ts'
import { readFolds } from './fold-file.ts'
import { htmlReport } from './html-report.ts'
import { isCount, readLabel } from './label.ts'
import type { TryOptions } from './options.ts'
import { plotsOf, resultOf, type TryResult } from './result.ts'
import { overrideTypes, rolesOf } from './roles.ts'
import { checkSlices, slicesOf } from './slices.ts'
import { readTable, type Table } from './table.ts'
import { createTrainings } from './trainings.ts'
import { type TypedColumn, typeColumns } from './typing.ts'
import { datasetWarnings, foldWarnings } from './warnings.ts'

/** Reads, evaluates, trains and writes the files. onProgress gets one short line now and then. */
export async function runTry(
  path: string,
  options: TryOptions,
  onProgress: (message: string) => void,
): Promise<TryResult> {
  const start = performance.now()
  const table = await readTable(path, [options.label, options.group ?? ''], (rows) =>
    onProgress(`read ${rows.toLocaleString('en')} rows`),
  )
  if (table.n === 0)
    throw new InklingError('NOT_ENOUGH_ROWS', `${path} has a header and no rows`, 'Give a file with rows.')
  const roles = rolesOf(table, options)
  const label = readLabel(roles.label, table.n, {
    ...(options.positive === undefined ? {} : { positive: options.positive }),
    ...(options.task ? { task: options.task } : {}),
  })
  const given = options.folds === undefined ? undefined : await readFolds(options.folds, table.n)
  const typed = overrideTypes(typeColumns(table, roles.excluded), options)
  const built = datasetOf(table, label, typed, roles)
  const { dataset, columns, warnings } = withoutUseless(built.dataset, typed)
  if (dataset.columns.length === 0) throw noFeatures(table, columns)
  checkSlices(dataset, options.slice ?? [])
  warnings.unshift(...table.warnings, ...label.warnings, ...built.warnings)
  warnings.push(...leakWarnings(dataset, options.allowLeak), ...datasetWarnings(dataset))

  const plan = given
    ? planGiven(
        dataset,
        Int32Array.from(label.rows, (row) => given.folds[row]!),
        given.names,
      )
    : planFolds(dataset, options.k, splitFor(dataset), options.seed)
  const isCounted = options.objective === undefined && label.task === 'regression' && isCount(label.y)
  if (isCounted) warnings.push(`${label.name} looks like a count: the Poisson objective is used; --objective decides.`)
  const chosen: TryOptions = isCounted ? { ...options, objective: 'poisson' } : options
  const trainings = createTrainings(dataset, plan, chosen, onProgress)
  const evaluation = await evaluate(dataset, plan, trainings.trainFold, options.seed)
  if (evaluation.folds.length === 0) {
    throw new InklingError(
      'NOT_ENOUGH_ROWS',
      `No split of the ${dataset.n} rows ${plan.by === 'given' ? 'as given' : `by ${plan.by}`} leaves rows on both sides`,
      'Give more rows, groups or moments.',
    )
  }
  warnings.push(...foldWarnings(dataset, plan, evaluation))
  const artefact = await trainings.trainAll()
  warnings.push(...artefact.warnings.filter((warning) => !warnings.includes(warning)))

  const folder = options.out ?? join('inkling-try', basename(path).replace(/\.(csv|tsv|txt)?(\.gz)?$/i, ''))
  const files = ['model.onnx', 'report.html', 'result.json'].map((name) => join(folder, name))
  const result = resultOf({
    file: basename(path),
    label,
    dataset,
    columns,
    evaluation,
    slices: slicesOf(dataset, evaluation, options.slice ?? []),
    artefact,
    leaderboard: trainings.leaderboard(artefact),
    warnings,
    seconds: (performance.now() - start) / 1000,
    files,
  })
  await mkdir(folder, { recursive: true })
  await writeFile(files[0]!, artefact.onnx)
  await writeFile(files[1]!, htmlReport(result, plotsOf(dataset, evaluation)))
  await writeFile(files[2]!, `${JSON.stringify(result, null, 2)}\n`)
  return result
}

/** Without the columns that the rows show to be useless; the duplicate that comes later goes. */
function withoutUseless(
  dataset: Dataset,
  typed: readonly TypedColumn[],
): { dataset: Dataset; columns: TypedColumn[]; warnings: string[] } {
  const findings = columnFindings(dataset)
  const notes = new Map(findings.map((finding) => [finding.feature, finding]))
  const columns = typed.map((column): TypedColumn => {
    const finding = notes.get(column.name)
    if (!finding || finding.finding === 'id-like') return column
    return { ...column, use: 'dropped', note: finding.message.slice(column.name.length + 1) }
  })
  const dropped = columns.filter((column) => column.use === 'dropped')
  const warnings = dropped.map((column) => `${column.name} is not used: ${column.note ?? column.type}.`)
  const kept = dataset.columns
    .map((column, at) => ({ column, at }))
    .filter(({ column }) => !dropped.some((entry) => entry.name === column.name))
  if (kept.length === dataset.columns.length) return { dataset, columns, warnings }
  const width = dataset.columns.length
  const x = new Float32Array(new SharedArrayBuffer(4 * dataset.n * kept.length))
  for (let row = 0; row < dataset.n; row++) {
    kept.forEach(({ at }, to) => {
      x[row * kept.length + to] = dataset.x[row * width + at]!
    })
  }
  return { dataset: { ...dataset, x, columns: kept.map(({ column }) => column) }, columns, warnings }
}

/** Stops with the names of leaking features; those allowed stay as warnings. */
function leakWarnings(dataset: Dataset, allowed: readonly string[]): string[] {
  const leaks = findLeaks(dataset)
  const refused = leaks.filter((leak) => !allowed.includes(leak.feature))
  if (refused.length > 0) {
    const names = refused.map((leak) => leak.feature).join(',')
    throw new InklingError(
      'LEAK',
      refused.map((leak) => leak.message).join('; '),
      `It is probably known only after the outcome: --drop ${names}. If it is known before: --allow-leak ${names}.`,
    )
  }
  return leaks.map((leak) => `Allowed leak: ${leak.message}.`)
}

function noFeatures(table: Table, columns: readonly TypedColumn[]): InklingError {
  const reasons = columns.map((column) => `${column.name}: ${column.note ?? column.type}`).slice(0, 5)
  const message = `No column of ${table.path} can be learned from${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}`
  return new InklingError('BAD_USER_INPUT', message, 'Keep at least one feature: see --drop, --category and --number.')
}
