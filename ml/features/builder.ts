// The kit at run time: each call becomes a plain value. Nothing is checked here, because a call does not know its feature's name.
import type { EligibilityKit, FeatureKit, LabelKit } from './kit.ts'
import type { ModelName, SchemaTypes } from './payload.ts'
import type { Aggregate, Condition, FeatureDefinition, FeatureText, ListScope, Reading } from './reading.ts'

type Options = FeatureText & ListScope & { readonly knownFrom?: string }

function textOf({ unit, says, saysLower, actionable, monotone, levels }: FeatureText): FeatureText {
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(says === undefined ? {} : { says }),
    ...(saysLower === undefined ? {} : { saysLower }),
    ...(actionable === undefined ? {} : { actionable }),
    ...(monotone === undefined ? {} : { monotone }),
    ...(levels === undefined ? {} : { levels }),
  }
}

const number = (reading: Reading, options: FeatureText = {}): FeatureDefinition => ({
  kind: 'number',
  reading,
  text: textOf(options),
})
const category = (reading: Reading, options: FeatureText = {}): FeatureDefinition => ({
  kind: 'category',
  reading,
  text: textOf(options),
})

const aggregate =
  (by: Aggregate) =>
  (list: string, column: string, options: Options = {}) =>
    number({ form: 'aggregate', list, by, column, scope: options }, options)

const features = {
  field: (path: string, options: Options = {}) => number({ form: 'path', path, scope: options }, options),
  category: (path: string, options: Options = {}) => category({ form: 'path', path, scope: options }, options),
  count: (list: string, options: Options = {}) =>
    number({ form: 'aggregate', list, by: 'count', scope: options }, options),
  sum: aggregate('sum'),
  avg: aggregate('avg'),
  min: aggregate('min'),
  max: aggregate('max'),
  last: (list: string, column: string, options: Options = {}) =>
    number({ form: 'last', list, column, scope: options }, options),
  daysSince: (path: string, second?: string | Options, third: Options = {}) =>
    typeof second === 'string'
      ? number({ form: 'sinceEvent', list: path, at: second, scope: { ...third, at: second } }, third)
      : number({ form: 'sinceColumn', path, immutable: second?.immutable === true }, second),
  daysUntil: (path: string, options: Options = {}) =>
    number({ form: 'untilColumn', path, immutable: options.immutable === true }, options),
  ratio: (of: FeatureDefinition, to: FeatureDefinition, text: FeatureText = {}) =>
    number({ form: 'ratio', of: of.reading, to: to.reading }, text),
  from: (
    select: Readonly<Record<string, unknown>>,
    compute: (row: never, asOf: Date) => unknown,
    options: Options = {},
  ) => number({ form: 'select', select, compute, immutable: options.immutable === true }, options),
  categoryFrom: (
    select: Readonly<Record<string, unknown>>,
    compute: (row: never, asOf: Date) => unknown,
    options: Options = {},
  ) => category({ form: 'select', select, compute, immutable: options.immutable === true }, options),
}

const eligibility = {
  holds: (first: string | ListScope, second: ListScope = {}): Condition =>
    typeof first === 'string'
      ? { form: 'holds', path: first, scope: second }
      : { form: 'holds', path: '', scope: first },
  happened: (path: string, scope: ListScope = {}): Condition => ({ form: 'happened', path, scope }),
  matches: (where: Readonly<Record<string, unknown>>, options: { immutable?: boolean } = {}): Condition => ({
    form: 'matches',
    where,
    immutable: options.immutable === true,
  }),
  all: (...of: Condition[]): Condition => ({ form: 'all', of }),
  any: (...of: Condition[]): Condition => ({ form: 'any', of }),
  not: (of: Condition): Condition => ({ form: 'not', of }),
}

const label = {
  happens: (path: string, { within, ...scope }: ListScope & { within: { days: number } }) =>
    ({ form: 'happens', path, within, scope }) as const,
}

// The typed face knows a schema, the values above know none: this is the one place where the two meet.
export const builtFeatures = <S extends SchemaTypes, M extends ModelName<S>>() =>
  features as unknown as FeatureKit<S, M>
export const builtEligibility = <S extends SchemaTypes, M extends ModelName<S>>() =>
  eligibility as unknown as EligibilityKit<S, M>
export const builtLabel = <S extends SchemaTypes, M extends ModelName<S>>() => label as unknown as LabelKit<S, M>
