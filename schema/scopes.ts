import type { FieldNullability, InputFieldMap, SchemaTypes, TypeParam } from '@pothos/core'
import { defaultFieldResolver, type GraphQLField, type GraphQLSchema, isObjectType } from 'graphql'
import { InklingError } from '../platform/errors.ts'
import type { RequestContext } from '../platform/request.ts'
import { hasScope, type Scope, type Viewer } from '../platform/viewer.ts'

declare global {
  namespace PothosSchemaTypes {
    // biome-ignore-start lint/correctness/noUnusedVariables: an interface is merged only under the same type parameters
    interface FieldOptions<
      Types extends SchemaTypes = SchemaTypes,
      ParentShape = unknown,
      Type extends TypeParam<Types> = TypeParam<Types>,
      Nullable extends FieldNullability<Type> = FieldNullability<Type>,
      Args extends InputFieldMap = InputFieldMap,
      ResolveShape = unknown,
      ResolveReturnShape = unknown,
    > {
      /** What a viewer needs, all of it, to ask for this field. A mutation that says nothing is refused to everybody. */
      scopes?: readonly Scope[]
    }
    // biome-ignore-end lint/correctness/noUnusedVariables: see above
  }
}

/** Throws FORBIDDEN that names the first scope the viewer lacks. */
export function requireScopes(viewer: Viewer, needed: readonly Scope[]): void {
  const missing = needed.find((scope) => !hasScope(viewer, scope))
  if (missing)
    throw new InklingError('FORBIDDEN', `This needs the scope ${missing}.`, 'Ask with a token that carries it.')
}

/** Has every field look at its declared scopes before it resolves or subscribes. */
export function guardScopes(schema: GraphQLSchema): void {
  const mutations = schema.getMutationType()
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue
    for (const field of Object.values(type.getFields())) {
      const needed = scopesOf(field) ?? (type.extensions.scopes as readonly Scope[] | undefined)
      if (needed && needed.length > 0) guard(field, ({ viewer }) => requireScopes(viewer, needed))
      else if (type === mutations) guard(field, refuseUndeclared)
    }
  }
}

/** `extensions` of a type whose fields need scopes, each unless it declares its own; `scopes: []` opens one. */
export function fieldScopes(scopes: readonly Scope[]) {
  return { scopes }
}

/** The scopes that a field declares; undefined when it declares none. */
export function scopesOf(field: GraphQLField<unknown, unknown>): readonly Scope[] | undefined {
  return (field.extensions.pothosOptions as { scopes?: readonly Scope[] } | undefined)?.scopes
}

function guard(field: GraphQLField<unknown, RequestContext>, check: (context: RequestContext) => void): void {
  const { resolve = defaultFieldResolver, subscribe } = field
  field.resolve = (source, args, context, info) => {
    check(context) // of each event of a subscription too: what its viewer may do can change on the way
    return resolve(source, args, context, info)
  }
  if (!subscribe) return
  field.subscribe = (source, args, context, info) => {
    check(context)
    return subscribe(source, args, context, info)
  }
}

function refuseUndeclared(): never {
  throw new InklingError('FORBIDDEN', 'This mutation declares no scope and is refused.', 'Give its field `scopes`.')
}
