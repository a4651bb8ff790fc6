import { checkQuestion, invalid, specOf } from './checks.ts'
import { type Datamodel, ownOf } from './datamodel.ts'
import type { OwnFeature, OwnSqlDefinition } from './definition.ts'
import { entityKey } from './keys.ts'
import type { FeatureRow, FeatureSpec, LabelRow, Model } from './model.ts'
import { readFault } from './reader.ts'
import { schemaHashOf } from './schema-hash.ts'
import { oneOf, spotOf } from './spot.ts'
import { toFeatureValue } from './values.ts'

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
    async *labels(client, { now, pageSize, signal }) {
      let after: LabelRow | null = null
      do {
        signal?.throwIfAborted()
        const options = { from: new Date(0), to: now, after, limit: pageSize }
        const page: readonly LabelRow[] = await guard(name, 'labels', () => definition.labels(client, options))
        for (const row of page) checkLabel(name, key.fields, row, now)
        if (page.length > 0) yield page
        after = page.length < pageSize ? null : page.at(-1)!
      } while (after)
    },
    ...(candidates ? { candidates } : {}),
    ...(field === undefined ? {} : { field }),
    ...(probabilityField === undefined ? {} : { probabilityField }),
    ...(gates === undefined ? {} : { gates }),
    ...(split === undefined ? {} : { split }),
    ...(minimumRows === undefined ? {} : { minimumRows }),
    ...(group === undefined ? {} : { group }),
  }
}

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
