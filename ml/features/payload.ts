// Names and value types of a customer's schema, derived from the type map that Prisma generates. Types only.
import type * as runtime from '@prisma/client/runtime/client'

/** What the kit needs of `Prisma.TypeMap`. */
export interface SchemaTypes {
  // biome-ignore lint/suspicious/noExplicitAny: Prisma's generated operations have no common shape
  model: Record<string, { payload: any; operations: any }>
}

export type ModelName<S extends SchemaTypes> = keyof S['model'] & string
export type Scalars<S extends SchemaTypes, M extends ModelName<S>> = S['model'][M]['payload']['scalars']
type Objects<S extends SchemaTypes, M extends ModelName<S>> = S['model'][M]['payload']['objects']

type KeysOf<T, V> = { [K in keyof T]-?: NonNullable<T[K]> extends V ? K : never }[keyof T] & string
type ElementOf<O> = NonNullable<O> extends readonly (infer X)[] ? X : never

export type NumberLike = number | bigint | boolean | runtime.Decimal
export type CategoryLike = string | number | bigint | boolean
export type ScalarLike = NumberLike | string | Date
export type ScalarName<S extends SchemaTypes, M extends ModelName<S>, V = ScalarLike> = KeysOf<Scalars<S, M>, V>
export type DateName<S extends SchemaTypes, M extends ModelName<S>> = ScalarName<S, M, Date>

export type ListName<S extends SchemaTypes, M extends ModelName<S>> = {
  [R in keyof Objects<S, M>]-?: ElementOf<Objects<S, M>[R]> extends never ? never : R
}[keyof Objects<S, M>] &
  string
export type OneName<S extends SchemaTypes, M extends ModelName<S>> = Exclude<
  keyof Objects<S, M> & string,
  ListName<S, M>
>

type Payload<O> = NonNullable<O> extends readonly (infer X)[] ? X : NonNullable<O>
/** The model that a relation leads to. */
export type Target<S extends SchemaTypes, M extends ModelName<S>, R> = R extends keyof Objects<S, M>
  ? Payload<Objects<S, M>[R]> extends { name: infer N extends ModelName<S> }
    ? N
    : never
  : never

/** Paths follow at most three to-one relations: enough for a schema, and an end for the compiler. */
type Steps = 0[]
type TooDeep = 3

/** 'country', 'presentation.course.code': a column of the entity or behind its to-one relations. */
export type ScalarPath<S extends SchemaTypes, M extends ModelName<S>, V = ScalarLike, D extends Steps = []> =
  | ScalarName<S, M, V>
  | (D['length'] extends TooDeep
      ? never
      : { [R in OneName<S, M>]: `${R}.${ScalarPath<S, Target<S, M, R>, V, [...D, 0]>}` }[OneName<S, M>])

/** 'presentation', 'presentation.course' */
export type OnePath<S extends SchemaTypes, M extends ModelName<S>, D extends Steps = []> = D['length'] extends TooDeep
  ? never
  : { [R in OneName<S, M>]: R | `${R}.${OnePath<S, Target<S, M, R>, [...D, 0]>}` }[OneName<S, M>]

/** 'attempts', 'learner.activities': a list, perhaps behind to-one relations. */
export type ListPath<S extends SchemaTypes, M extends ModelName<S>, D extends Steps = []> =
  | ListName<S, M>
  | (D['length'] extends TooDeep
      ? never
      : { [R in OneName<S, M>]: `${R}.${ListPath<S, Target<S, M, R>, [...D, 0]>}` }[OneName<S, M>])

/** 'subscriptions.plan', 'learner.subscriptions.plan': a column of the rows of a list. */
export type ListScalarPath<S extends SchemaTypes, M extends ModelName<S>, V = ScalarLike, D extends Steps = []> =
  | { [L in ListName<S, M>]: `${L}.${ScalarName<S, Target<S, M, L>, V>}` }[ListName<S, M>]
  | (D['length'] extends TooDeep
      ? never
      : { [R in OneName<S, M>]: `${R}.${ListScalarPath<S, Target<S, M, R>, V, [...D, 0]>}` }[OneName<S, M>])

/** The model at the end of a path of relations. */
export type PathTarget<
  S extends SchemaTypes,
  M extends ModelName<S>,
  P extends string,
> = P extends `${infer R}.${infer Rest}` ? PathTarget<S, Target<S, M, R>, Rest> : Target<S, M, P>

/** The model that holds the column at the end of a path: of 'learner.subscriptions.plan', Subscription. */
export type PathOwner<
  S extends SchemaTypes,
  M extends ModelName<S>,
  P extends string,
> = P extends `${infer R}.${infer Rest}` ? PathOwner<S, Target<S, M, R>, Rest> : M

type Ordered = number | bigint | Date | runtime.Decimal
type Given<V> = V extends runtime.Decimal ? V | number | string : V
type Comparison<V> = {
  readonly in?: readonly Given<NonNullable<V>>[]
  readonly not?: Given<V>
} & (NonNullable<V> extends Ordered
  ? {
      readonly gt?: Given<NonNullable<V>>
      readonly gte?: Given<NonNullable<V>>
      readonly lt?: Given<NonNullable<V>>
      readonly lte?: Given<NonNullable<V>>
    }
  : unknown)

/** Conditions on the columns of one model; all of them must hold. `not` leaves out rows without a value, as Prisma does. */
export type Where<S extends SchemaTypes, M extends ModelName<S>> = {
  readonly [K in ScalarName<S, M>]?: Given<Scalars<S, M>[K]> | Comparison<Scalars<S, M>[K]>
}

type SelectArgument<S extends SchemaTypes, M extends ModelName<S>> = NonNullable<
  S['model'][M]['operations']['findMany']['args']['select']
>
/** Prisma's select of scalars and to-one relations. Lists are left out: they change, and belong to count, sum or last. */
export type Select<S extends SchemaTypes, M extends ModelName<S>> = Omit<
  SelectArgument<S, M>,
  ListName<S, M> | '_count'
>
export type Selected<S extends SchemaTypes, M extends ModelName<S>, T> = runtime.Types.Result.GetResult<
  S['model'][M]['payload'],
  { select: T },
  'findUniqueOrThrow',
  Record<string, never>
>
/** Deep exactness: a key that the schema does not know becomes `never`. */
export type Exact<T, U> = T extends object
  ? { [K in keyof T]: K extends keyof Extract<U, object> ? Exact<T[K], Extract<U, object>[K]> : never }
  : T
