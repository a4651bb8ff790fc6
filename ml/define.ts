import type { Datamodel } from './features/datamodel.ts'
import type { KitDefinition, OwnFeature, OwnSqlDefinition } from './features/definition.ts'
import { defineWithKit } from './features/kit-model.ts'
import type { Model } from './features/model.ts'
import { defineWithSql } from './features/own-model.ts'
import type { ModelName, SchemaTypes } from './features/payload.ts'

export type * from './features/model.ts'

/** `defineModel` for one schema: in the words of the kit, or with own SQL. Throws MODEL_INVALID or FEATURE_INVALID. */
export interface DefineModel<S extends SchemaTypes> {
  <const M extends ModelName<S>>(definition: KitDefinition<S, M>): Model
  <const M extends ModelName<S>, const F extends Readonly<Record<string, OwnFeature>>>(
    definition: OwnSqlDefinition<M, F>,
  ): Model
}

/**
 * Binds the kit to a generated Prisma client: `export const defineModel = bindKit<Prisma.TypeMap>(datamodel)`. The type map
 * gives names and types, the data model (from Inkling's generator) tables, columns, keys and relations.
 */
export function bindKit<S extends SchemaTypes>(datamodel: Datamodel): DefineModel<S> {
  return (definition: KitDefinition<S, ModelName<S>> | OwnSqlDefinition<string, Record<string, OwnFeature>>) =>
    'read' in definition ? defineWithSql(datamodel, definition) : defineWithKit(datamodel, definition)
}
