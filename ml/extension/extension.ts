import { Prisma } from '@prisma/client/extension'
import { InklingError } from '../../platform/errors.ts'
import type { KeyValues, NamedModel, SqlClient } from '../define.ts'
import { createPredictionLoader, type PredictionLoader } from '../loaders.ts'
import { type Answer, isEstimate, isPrediction } from '../prediction.ts'
import type { Serving } from '../serving.ts'
import type { PastScores } from '../stored.ts'
import { type Selection, selectKey } from './key-selection.ts'
import type { CallOptions, EntityComponents, OnFailure, RowAnswer } from './types.ts'

export interface ExtensionOptions<Models extends readonly NamedModel[], Default extends OnFailure> {
  readonly models: Models
  readonly serving: Serving
  /** What "now" means for the rows. Default: the wall clock. */
  readonly now?: () => Date
  /** Where fallbacks find stored scores: `createScoreStore(database)`. */
  readonly scores?: PastScores
  /** What becomes of a model that has no answer for a row: a value in its place, or an exception. Default: 'value'. */
  readonly onFailure?: Default
}

type Row = Record<string, unknown>

/** What Prisma hands to a method of a delegate: the delegate itself, and the client it belongs to, inside a transaction that of the transaction. */
interface Delegate {
  findUnique(args: Selection): Promise<Row | null>
  findMany(args: Selection): Promise<Row[]>
  readonly $parent: SqlClient
}

/**
 * Predictions in any Prisma client: `prisma.$extends(inkling({ models: [churn], serving }))`, then
 * `db.learner.withML({ where: { id } })` and `db.learner.withMLMany({ where, take })`. Rows keep their exact types and get `_ml`.
 */
export function inkling<const Models extends readonly NamedModel[], Default extends OnFailure = 'value'>(
  options: ExtensionOptions<Models, Default>,
): { name: string; model: EntityComponents<Models, Default> } {
  const components: Record<string, object> = {}
  for (const entity of new Set(options.models.map((model) => model.entity))) {
    const models = options.models.filter((model) => model.entity === entity)
    components[`${entity.charAt(0).toLowerCase()}${entity.slice(1)}`] = methodsOf(models, options)
  }
  // A plain object rather than Prisma.defineExtension: `$extends` then infers the methods' types for the client at hand.
  return { name: 'inkling', model: components as EntityComponents<Models, Default> }
}

function methodsOf(models: readonly NamedModel[], options: ExtensionOptions<readonly NamedModel[], OnFailure>) {
  const key = models[0]!.key

  async function read(
    delegate: Delegate,
    given: Selection,
    find: 'findUnique' | 'findMany',
    call: CallOptions<OnFailure>,
  ) {
    const { args, unasked } = selectKey(given, key)
    const found = await delegate[find](args)
    const rows = Array.isArray(found) ? found : found ? [found] : []
    await addAnswers(rows, models, delegate.$parent, options, call)
    for (const row of rows) for (const field of unasked) delete row[field]
    return rows
  }
  return {
    async withML(this: unknown, args: Selection, call: CallOptions<OnFailure> = {}) {
      const [row] = await read(Prisma.getExtensionContext(this) as unknown as Delegate, args, 'findUnique', call)
      return row ?? null
    },
    withMLMany(this: unknown, args: Selection = {}, call: CallOptions<OnFailure> = {}) {
      return read(Prisma.getExtensionContext(this) as unknown as Delegate, args, 'findMany', call)
    },
  }
}

/** Sets `_ml` on every row: one read and one inference per model, all models at once. */
async function addAnswers(
  rows: readonly Row[],
  models: readonly NamedModel[],
  client: SqlClient,
  { serving, now, scores, onFailure: standing = 'value' }: ExtensionOptions<readonly NamedModel[], OnFailure>,
  { asOf = now?.() ?? new Date(), onFailure = standing }: CallOptions<OnFailure>,
): Promise<void> {
  const answers = rows.map((): Record<string, RowAnswer<'value'>> => ({}))
  // One after the other: inside a transaction there is one connection, and statements on it would only queue.
  for (const model of models) {
    const loader = createPredictionLoader({ model, serving, client, instant: new Date(), scores })
    const given = await Promise.all(rows.map((row) => loader.answer({ key: keyOf(model, row), asOf })))
    for (const [index, answer] of given.entries()) {
      if (onFailure === 'throw' && !isEstimate(answer)) throw new InklingError(answer.code, answer.message, answer.hint)
      answers[index]![model.name] = toRowAnswer(answer, asOf, loader)
    }
  }
  for (const [index, row] of rows.entries()) row._ml = answers[index]
}

function keyOf(model: NamedModel, row: Row): KeyValues {
  return Object.fromEntries(model.key.map((field) => [field, keyValueOf(row[field])]))
}

function keyValueOf(value: unknown): string | number {
  if (typeof value === 'number' || typeof value === 'string') return value
  return value instanceof Date ? value.toISOString() : String(value)
}

function toRowAnswer(answer: Answer, asOf: Date, loader: PredictionLoader): RowAnswer<'value'> {
  if (!isEstimate(answer)) {
    const nothing = {
      probability: null,
      low: null,
      high: null,
      confidence: null,
      riskLevel: null,
      source: null,
    } as const
    return { failure: answer, ...nothing, versionId: null, asOf, reasons: async () => [] }
  }
  const { probability, low, high, confidence, riskLevel, source, versionId } = answer
  return {
    failure: null,
    probability,
    low,
    high,
    confidence,
    riskLevel,
    source,
    versionId,
    asOf: answer.asOf,
    reasons: async () => (isPrediction(answer) ? loader.reasons(answer) : []),
  }
}
