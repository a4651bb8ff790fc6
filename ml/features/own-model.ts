import { checkQuestion, invalid, specOf } from './checks.ts'
import { type Datamodel, ownOf } from './datamodel.ts'
import type { OwnFeature, OwnLabels, OwnSqlDefinition } from './definition.ts'
import { judgementOf } from './judgement.ts'
import { entityKey } from './keys.ts'
import type { FeatureRow, FeatureSpec, LabelRow, Model, SqlClient } from './model.ts'
import { createOwner } from './owner.ts'
import { policyOf } from './policy.ts'
import { readFault } from './query.ts'
import { schemaHashOf } from './schema-hash.ts'
import { oneOf, spotOf } from './spot.ts'
import { toFeatureValue } from './values.ts'
import { watchingOf } from './watching.ts'

/** A model with its own SQL. What the SQL answers is checked on every read, because no type can. Throws MODEL_INVALID or FEATURE_INVALID. */
export function defineWithSql<M extends string, F extends Readonly<Record<string, OwnFeature>>>(
  datamodel: Datamodel,
  definition: OwnSqlDefinition<M, F>,
): Model {
  checkQuestion(definition)
  const {
    name,
    entity,
    question,
    field,
    probabilityField,
    bands,
    gates,
    split,
    group,
    minimumRows,
    shape,
    candidates,
  } = definition
  const root = ownOf(datamodel, entity)
  if (!root) throw invalid(name, `there is no entity "${entity}"`, oneOf(Object.keys(datamodel)))
  const key = entityKey(entity, root, spotOf(name, 'entity'))
  if (group !== undefined && !key.fields.includes(group))
    throw invalid(name, `"${group}" is no field of the key`, `${oneOf(key.fields)} Or give label rows a group.`)
  const features = Object.entries(definition.features).map(([feature, { kind, ...text }]) =>
    specOf(name, feature, kind, text),
  )
  if (features.length === 0) throw invalid(name, 'it has no features', 'Name at least one.')
  const owner = definition.tenant === undefined ? undefined : createOwner(name, datamodel, root, key, definition.tenant)
  return {
    name,
    entity,
    key: key.fields,
    question,
    features,
    bands,
    schemaHash: schemaHashOf(entity, features, [shape]),
    async read(client, pairs) {
      // A key that no row can have never reaches the customer's SQL.
      const possible = pairs.filter((pair) => !key.encode(pair.key).includes(null))
      const rows = possible.length > 0 ? await guard(name, 'read', () => definition.read(client, possible)) : []
      if (rows.length !== possible.length)
        throw readFault(
          `Model "${name}": read answered ${rows.length} rows for ${possible.length} pairs`,
          'Answer one row for each pair, in their order.',
        )
      const read = new Map(possible.map((pair, index) => [pair, toFeatureRow(name, features, rows[index]!)]))
      return pairs.map((pair) => read.get(pair) ?? { eligible: false, values: features.map(() => null) })
    },
    async *labels(client, { now, from = BEGINNING, pageSize, signal }) {
      for await (const page of pagesOf(name, definition.labels, client, { from, to: now, limit: pageSize })) {
        signal?.throwIfAborted()
        for (const row of page) checkLabel(name, key.fields, row, now)
        for (let start = 0; start < page.length; start += pageSize) yield page.slice(start, start + pageSize)
      }
    },
    ...policyOf(definition),
    ...watchingOf(definition),
    ...judgementOf(definition, features),
    ...(candidates ? { candidates } : {}),
    ...(owner ? { tenants: owner.tenants } : {}),
    ...(field === undefined ? {} : { field }),
    ...(probabilityField === undefined ? {} : { probabilityField }),
    ...(gates === undefined ? {} : { gates }),
    ...(definition.better === undefined ? {} : { better: definition.better }),
    ...(split === undefined ? {} : { split }),
    ...(minimumRows === undefined ? {} : { minimumRows }),
    ...(group === undefined ? {} : { group }),
  }
}

/** Pages of the customer's labels, whichever way they are written; a failure names the model. */
async function* pagesOf(
  model: string,
  labels: OwnLabels,
  client: SqlClient,
  range: { readonly from: Date; readonly to: Date; readonly limit: number },
): AsyncGenerator<readonly LabelRow[]> {
  const { limit } = range
  const first = labels(client, { ...range, after: null })
  if (Symbol.asyncIterator in first) {
    const pages = first[Symbol.asyncIterator]()
    try {
      for (;;) {
        const page = await guard(model, 'labels', () => pages.next())
        if (page.done) return
        yield page.value
      }
    } finally {
      await pages.return?.()
    }
  }
  let page: readonly LabelRow[] = await guard(model, 'labels', () => first)
  while (page.length > 0) {
    yield page
    if (page.length < limit) return
    const after = page.at(-1)!
    page = await guard(model, 'labels', async () => labels(client, { ...range, after }) as typeof first)
  }
}

const BEGINNING = new Date(0)

function toFeatureRow(
  model: string,
  features: readonly FeatureSpec[],
  row: Readonly<Record<string, unknown>>,
): FeatureRow {
  const values = features.map(({ name, kind }) => {
    if (!Object.hasOwn(row, name))
      throw readFault(`Model "${model}", feature "${name}": read did not answer it`, `Select it AS "${name}".`)
    const value = toFeatureValue(row[name], kind)
    if (value !== undefined) return value
    throw readFault(
      `Model "${model}", feature "${name}" is no ${kind}: it is a ${typeof row[name]}`,
      kind === 'number' ? 'Cast it to float8.' : 'Cast it to text.',
    )
  })
  return { eligible: row.eligible === true, values }
}

/** A label from the future, or about nobody, must never reach the trainer. */
function checkLabel(model: string, key: readonly string[], row: LabelRow, now: Date): void {
  const lacking = key.find((field) => row.key[field] === undefined || row.key[field] === null)
  if (lacking)
    throw readFault(`Model "${model}": a label row has no "${lacking}" in its key`, `The key is ${key.join(', ')}.`)
  if (!(row.asOf instanceof Date) || Number.isNaN(row.asOf.getTime()) || row.asOf > now)
    throw readFault(
      `Model "${model}": a label row looks from ${String(row.asOf)}`,
      'Give a Date that is not after `to`.',
    )
  if (row.label !== 0 && row.label !== 1)
    throw readFault(`Model "${model}": a label is ${String(row.label)}`, 'Give 0 or 1.')
}

async function guard<T>(model: string, act: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw readFault(
      `Model "${model}": its ${act} failed`,
      'Try its SQL by hand; what the database said is the cause.',
      cause,
    )
  }
}
