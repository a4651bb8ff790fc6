import type { Datamodel } from './features/datamodel.ts'
import type { KitDefinition, OwnFeature, OwnSqlDefinition } from './features/definition.ts'
import { defineWithKit } from './features/kit-model.ts'
import type { Model } from './features/model.ts'
import { defineWithSql } from './features/own-model.ts'
import type { ModelName, SchemaTypes } from './features/payload.ts'

export type * from './features/model.ts'

/** A model that TypeScript knows by its name and entity: what the Prisma extension types its rows from. */
export type NamedModel<Name extends string = string, Entity extends string = string> = Model & {
  readonly name: Name
  readonly entity: Entity
}

/** `defineModel` for one schema: in the words of the kit, or with own SQL. Throws MODEL_INVALID or FEATURE_INVALID. */
export type DefineModel<S extends SchemaTypes> = <
  const M extends ModelName<S>,
  const F extends Readonly<Record<string, OwnFeature>> = Record<never, never>,
  const N extends string = string,
>(
  // A union, not overloads: a mistake is then reported where it stands, and not as a call that fits nothing.
  definition: (KitDefinition<S, M> | OwnSqlDefinition<M, F>) & { readonly name: N },
) => NamedModel<N, M>

/**
 * Binds the kit to a generated Prisma client: `export const defineModel = bindKit<Prisma.TypeMap>(datamodel)`. The type map
 * gives names and types, the data model (from Inkling's generator) tables, columns, keys and relations.
 */
export function bindKit<S extends SchemaTypes>(datamodel: Datamodel): DefineModel<S> {
  // The model carries the very name and entity of its definition, which TypeScript cannot follow.
  return (definition) =>
    (definition.read === undefined
      ? defineWithKit(datamodel, definition)
      : defineWithSql(datamodel, definition)) as never
}
