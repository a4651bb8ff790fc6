// What a model file says, as plain values: written by the kit, checked and compiled to SQL afterwards.
import type { Actionable } from './model.ts'

export type Duration = { readonly days: number } | { readonly hours: number } | { readonly minutes: number }

/** Which rows of a list are known at the moment that is looked from. */
export interface Timing {
  readonly at?: string
  readonly days?: number
  readonly lasts?: Duration
  readonly validFrom?: string
  readonly validTo?: string
  readonly immutable?: boolean
}

export interface ListScope extends Timing {
  readonly where?: Readonly<Record<string, unknown>>
  readonly matching?: readonly string[]
}

export type Aggregate = 'count' | 'sum' | 'avg' | 'min' | 'max'

/** How one number or category is read. Paths are dotted names of relations, then perhaps a column. */
export type Reading =
  | { readonly form: 'path'; readonly path: string; readonly scope: ListScope & { readonly knownFrom?: string } }
  | {
      readonly form: 'aggregate'
      readonly list: string
      readonly by: Aggregate
      readonly column?: string
      readonly scope: ListScope
    }
  | { readonly form: 'last'; readonly list: string; readonly column: string; readonly scope: ListScope }
  | { readonly form: 'sinceEvent'; readonly list: string; readonly at: string; readonly scope: ListScope }
  | { readonly form: 'sinceColumn' | 'untilColumn'; readonly path: string; readonly immutable: boolean }
  | { readonly form: 'ratio'; readonly of: Reading; readonly to: Reading }
  | {
      readonly form: 'select'
      readonly select: Readonly<Record<string, unknown>>
      readonly compute: (row: never, asOf: Date) => unknown
      readonly immutable: boolean
    }

/** What people are told about a feature. */
export interface FeatureText {
  readonly unit?: string
  /** The sentence shown when the feature raises the score. Default: the feature's name in words. */
  readonly says?: string
  /** The sentence shown when it lowers the score. */
  readonly saysLower?: string
  readonly actionable?: Actionable
  /** The score may only rise (1) or only fall (-1) with the feature. */
  readonly monotone?: 1 | -1
  /** Of a category: its levels, where they are known beforehand. */
  readonly levels?: readonly string[]
}

export interface FeatureDefinition {
  readonly kind: 'number' | 'category'
  readonly reading: Reading
  readonly text: FeatureText
}

/** A statement about an entity at a moment, true or false. */
export type Condition =
  | { readonly form: 'holds'; readonly path: string; readonly scope: ListScope }
  | { readonly form: 'happened'; readonly path: string; readonly scope: ListScope }
  | { readonly form: 'matches'; readonly where: Readonly<Record<string, unknown>>; readonly immutable: boolean }
  | { readonly form: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly form: 'not'; readonly of: Condition }

/** What is to be learnt: whether something happens within a time after the moment. */
export interface LabelDefinition {
  readonly form: 'happens'
  readonly path: string
  readonly within: Duration
  readonly scope: ListScope
}

export interface Snapshots {
  readonly every: Duration
  readonly from?: Date | string
}

export function hoursOf(duration: Duration): number {
  if ('days' in duration) return duration.days * 24
  return 'hours' in duration ? duration.hours : duration.minutes / 60
}
