import type { Datamodel, ModelShape } from './datamodel.ts'
import type { EntityKey } from './keys.ts'
import type { Model } from './model.ts'
import { createReader } from './reader.ts'
import type { FeatureDefinition, Reading } from './reading.ts'

/**
 * How old the rows behind each feature are: the same lists and conditions as the features read, without their windows, so that
 * a window that holds nothing still tells how long ago there was something. A statement of its own, run only when asked.
 */
export function createAges(
  model: string,
  datamodel: Datamodel,
  root: ModelShape,
  key: EntityKey,
  features: ReadonlyMap<string, FeatureDefinition>,
): NonNullable<Model['ages']> | undefined {
  const names = [...features.keys()]
  const dated = new Map(
    [...features].flatMap(([name, { reading }]): [string, FeatureDefinition][] => {
      const newest = newestOf(reading)
      return newest ? [[name, { kind: 'number', reading: newest, text: {} }]] : []
    }),
  )
  if (dated.size === 0) return undefined
  const order = [...dated.keys()]
  const reader = createReader(model, datamodel, root, key, dated, undefined)
  return async (client, pairs) => {
    const rows = await reader.read(client, pairs)
    return rows.map(({ values }) =>
      names.map((name) => {
        const value = values[order.indexOf(name)]
        return typeof value === 'number' ? value : null
      }),
    )
  }
}

/** The reading of "days since the newest of these rows"; null where rows have no moment. */
function newestOf(reading: Reading): Reading | null {
  if (reading.form === 'ratio') return newestOf(reading.of)
  if (reading.form === 'sinceEvent') return reading
  if (reading.form !== 'aggregate' && reading.form !== 'last') return null
  const { at, days: _window, ...scope } = reading.scope
  return at === undefined ? null : { form: 'sinceEvent', list: reading.list, at, scope: { ...scope, at } }
}
