import type { Model } from '../define.ts'
import type { ModelContents } from '../model-version.ts'
import { MISSING, UNKNOWN } from './bins.ts'

/** Levels beyond these share one slice: the number of sketches a day must not grow with the data. */
const MOST_LEVELS = 50

/** A category feature whose levels are slices: its column among the version's features. */
export interface SliceColumn {
  readonly column: number
  readonly feature: string
  readonly levels: readonly string[]
}

/** The columns that a model file slices by, as one version was trained on them. */
export function sliceColumnsOf(model: Model, { columns }: Pick<ModelContents, 'columns'>): SliceColumn[] {
  return (model.slices ?? []).flatMap((feature) => {
    const column = columns.findIndex(({ name }) => name === feature)
    return column < 0 ? [] : [{ column, feature, levels: columns[column]!.levels ?? [] }]
  })
}

/** The slices that a row belongs to, by the bins of its features: "country=DE". */
export function slicesOf(columns: readonly SliceColumn[], bins: readonly number[]): string[] {
  return columns.map(({ column, feature, levels }) => `${feature}=${levelOf(levels, bins[column] ?? MISSING)}`)
}

function levelOf(levels: readonly string[], bin: number): string {
  if (bin === MISSING) return '(missing)'
  if (bin === UNKNOWN) return '(unknown)'
  return bin < MOST_LEVELS ? (levels[bin] ?? '(other)') : '(other)'
}
