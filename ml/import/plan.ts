import { z } from 'zod'
import { InklingError } from '../../platform/errors.ts'
import type { Column } from '../../trainer/dataset.ts'
import type { FeatureValue, Model } from '../define.ts'
import { createEncoder } from '../encoding.ts'
import type { Golden } from '../inference/predictor.ts'

const name = z.string().min(1).max(200)
const text = z.string().max(1000)
const column = z.union([
  name,
  z.strictObject({
    feature: name,
    /** What the model was given where the value is missing; NaN when absent. */
    missing: z.union([z.number(), text]).optional(),
    /** One column of a one-hot encoding: 1 where the category has this level. */
    level: text.optional(),
    /** The category as the number of its level in this order, or as its text where the model takes texts. */
    levels: z.array(text).min(1).max(2000).optional(),
  }),
])
const columns = z.array(column).min(1).max(5000)

const format = z.strictObject({
  /** The columns of the model's only input, or of each by its name, in the order of training. */
  inputs: z.union([columns, z.record(name, columns)]),
  /** Which output holds the probability; may be left out where there is only one of numbers. */
  output: name.optional(),
  /** Which column of it; the second of two when absent. */
  index: z.number().int().min(0).max(1000).optional(),
  /** What the output is: a probability, or the log-odds of one. */
  scale: z.enum(['probability', 'log-odds']).default('probability'),
  /** The last moment that the model learned from: later rows judge it. */
  trainedUntil: z.iso.datetime({ offset: true }).optional(),
  /** Rows with the probabilities that the model gave where it was trained. */
  golden: z
    .array(
      z.strictObject({
        features: z.record(z.string(), z.union([z.number(), text, z.boolean(), z.null()])),
        probability: z.number().min(0).max(1),
      }),
    )
    .max(1000)
    .optional(),
})

export type ImportPlan = z.infer<typeof format>

/** One column that the model is given. */
export interface PlannedColumn {
  /** Which of the model file's features. */
  readonly feature: number
  readonly missing?: number | string
  /** 1 where the feature's level has this number, else 0. */
  readonly equals?: number
  /** Given as text: the text of each level. */
  readonly texts?: readonly string[]
}

/** A plan held against a model file. */
export interface ResolvedPlan {
  readonly columns: readonly Column[]
  /** Features of which the model only asks whether they have one level or another: further levels mean none of them. */
  readonly open: readonly boolean[]
  /** name: null for the only input. */
  readonly inputs: readonly { readonly name: string | null; readonly columns: readonly PlannedColumn[] }[]
  readonly output: string | null
  readonly index: number | null
  readonly scale: ImportPlan['scale']
  readonly golden: Golden
}

const FEWEST_GOLDEN = 3

/** Throws BAD_USER_INPUT that names the first field which is not as a plan has it. */
export function parsePlan(content: unknown): ImportPlan {
  const parsed = format.safeParse(content)
  if (parsed.success) return parsed.data
  const [fault] = parsed.error.issues
  throw faulty(`${fault?.path.join('.') || 'the whole'}: ${fault?.message ?? 'not understood'}`)
}

/** Says which feature each column is, and encodes the golden rows as rows are encoded at serving. Throws BAD_USER_INPUT. */
export function resolvePlan(plan: ImportPlan, model: Model): ResolvedPlan {
  const levels = model.features.map(({ levels }) => (levels ? [...levels] : []))
  const given = Array.isArray(plan.inputs)
    ? [{ name: null, columns: plan.inputs }]
    : Object.entries(plan.inputs).map(([name, columns]) => ({ name, columns }))
  // ordered levels first: a one-hot column only needs its level to be somewhere
  for (const wanted of given.flatMap(({ columns }) => columns)) {
    if (typeof wanted === 'string' || !wanted.levels) continue
    const known = levels[featureOf(model, wanted.feature)]!
    if (known.length > 0 && known.join('\0') !== wanted.levels.join('\0'))
      throw faulty(`the levels of ${wanted.feature} are given in two orders`)
    if (known.length === 0) known.push(...wanted.levels)
  }
  const inputs = given.map(({ name, columns }) => ({
    name,
    columns: columns.map((wanted) =>
      resolveColumn(model, levels, typeof wanted === 'string' ? { feature: wanted } : wanted),
    ),
  }))
  const columns = model.features.map(
    (feature, index): Column => ({
      name: feature.name,
      kind: feature.kind,
      ...(feature.kind === 'category' ? { levels: levels[index]! } : {}),
    }),
  )
  const { output = null, index = null, scale } = plan
  const planned = inputs.flatMap((input) => input.columns)
  const open = model.features.map(
    ({ kind }, index) =>
      kind === 'category' && planned.every(({ feature, equals }) => feature !== index || equals !== undefined),
  )
  return { columns, open, inputs, output, index, scale, golden: encodeGolden(plan, model, columns) }
}

type Wanted = Exclude<z.infer<typeof column>, string>

function resolveColumn(model: Model, levels: readonly string[][], wanted: Wanted): PlannedColumn {
  const feature = featureOf(model, wanted.feature)
  const missing = wanted.missing === undefined ? {} : { missing: wanted.missing }
  if (model.features[feature]!.kind === 'number') {
    if (wanted.level !== undefined || wanted.levels) throw faulty(`${wanted.feature} is a number and has no levels`)
    return { feature, ...missing }
  }
  const known = levels[feature]!
  if (wanted.level !== undefined) {
    if (!known.includes(wanted.level)) known.push(wanted.level)
    return { feature, equals: known.indexOf(wanted.level), ...missing }
  }
  if (!wanted.levels && !model.features[feature]!.levels)
    throw faulty(
      `${wanted.feature} is a category`,
      `Say how it was encoded: { "feature": "${wanted.feature}", "level": ... } for each column of a one-hot encoding, or "levels": [...] in the order of its numbers.`,
    )
  return { feature, texts: known, ...missing }
}

function featureOf(model: Model, name: string): number {
  const index = model.features.findIndex((feature) => feature.name === name)
  if (index >= 0) return index
  const names = model.features.map((feature) => feature.name)
  throw faulty(`${model.name} has no feature "${name}"`, `Its features: ${names.slice(0, 50).join(', ')}.`)
}

function encodeGolden(plan: ImportPlan, model: Model, columns: readonly Column[]): Golden {
  const rows = plan.golden ?? []
  if (rows.length < FEWEST_GOLDEN)
    throw faulty(
      `${rows.length} golden rows prove nothing; at least ${FEWEST_GOLDEN} are needed`,
      'Give rows with the probabilities that the model gave where it was trained: --golden rows.json, or "golden" in the plan.',
    )
  const encoder = createEncoder(columns)
  const cells = new Float32Array(columns.length)
  return {
    x: rows.map(({ features }) => {
      for (const name of Object.keys(features)) featureOf(model, name)
      const values = model.features.map(({ name }): FeatureValue => {
        const value = features[name] ?? null
        return typeof value === 'boolean' ? Number(value) : value
      })
      encoder.write(cells, 0, values)
      return Array.from(cells, (value) => (Number.isNaN(value) ? null : value))
    }),
    y: rows.map(({ probability }) => probability),
  }
}

function faulty(what: string, hint = 'docs/registry.md shows a plan.'): InklingError {
  return new InklingError('BAD_USER_INPUT', `The plan of the import is not understood: ${what}.`, hint)
}
