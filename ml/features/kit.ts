// The typed face of the kit. What each call compiles to is in `compile.ts`.
import type {
  CategoryLike,
  DateName,
  Exact,
  ListPath,
  ListScalarPath,
  ModelName,
  NumberLike,
  OnePath,
  PathOwner,
  PathTarget,
  ScalarName,
  ScalarPath,
  SchemaTypes,
  Select,
  Selected,
  Where,
} from './payload.ts'
import type { Condition, Duration, FeatureDefinition, FeatureText, LabelDefinition } from './reading.ts'

declare const OF: unique symbol

/** One input of a model about entity M. */
export interface Feature<M extends string, K extends 'number' | 'category' = 'number' | 'category'>
  extends FeatureDefinition {
  readonly kind: K
  readonly [OF]?: M
}
export type Holds<M extends string> = Condition & { readonly [OF]?: M }
export type Label<M extends string> = LabelDefinition & { readonly [OF]?: M }

/** A promise that the column never changes once written: yesterday's value of one that does is gone. */
export interface Immutable {
  readonly immutable: true
}

/** A plain column: immutable, and perhaps known only from a moment on. */
export interface PlainColumn<S extends SchemaTypes, M extends ModelName<S>> extends Immutable {
  /** A moment before which the value is not known and read as missing. */
  readonly knownFrom?: ScalarPath<S, M, Date>
}

/** Rows of a list that happened at or before the moment. */
export interface Events<S extends SchemaTypes, T extends ModelName<S>> {
  /** When a row happened; rows later than the moment are not seen. */
  readonly at: DateName<S, T>
  /** Only the last so many days before the moment. */
  readonly days?: number
  /** How long a row goes on changing after `at`, such as a day's clicks: it is seen once that time is over, and `daysSince` counts whole ones. */
  readonly lasts?: Duration
}

/** Rows of a list that are valid at the moment: from <= moment, and no end or moment < end. */
export interface Validity<S extends SchemaTypes, T extends ModelName<S>> {
  readonly validFrom: DateName<S, T>
  readonly validTo?: DateName<S, T>
}

interface Filter<S extends SchemaTypes, M extends ModelName<S>, T extends ModelName<S>> {
  readonly where?: Where<S, T>
  /** Columns that entity and row must have in common, such as 'presentationId'. */
  readonly matching?: readonly (ScalarName<S, M> & ScalarName<S, T>)[]
}

type Timed<S extends SchemaTypes, T extends ModelName<S>> = Events<S, T> | Validity<S, T> | Immutable
type Rows<S extends SchemaTypes, M extends ModelName<S>, L extends string> = FeatureText &
  Filter<S, M, PathTarget<S, M, L>> &
  Timed<S, PathTarget<S, M, L>>
type EventRows<S extends SchemaTypes, M extends ModelName<S>, L extends string> = FeatureText &
  Filter<S, M, PathTarget<S, M, L>> &
  Omit<Events<S, PathTarget<S, M, L>>, never>

/** A path to a plain column must be immutable; one through a list says which row is meant. */
type ValueOptions<S extends SchemaTypes, M extends ModelName<S>, P extends string> = FeatureText &
  (P extends ScalarPath<S, M>
    ? PlainColumn<S, M>
    : (Validity<S, PathOwner<S, M, P>> | Events<S, PathOwner<S, M, P>>) & Filter<S, M, PathOwner<S, M, P>>)

export interface FeatureKit<S extends SchemaTypes, M extends ModelName<S>> {
  /** A number or boolean: of a plain column, or of the latest row of a list that is valid or happened. */
  field<P extends ScalarPath<S, M, NumberLike> | ListScalarPath<S, M, NumberLike>>(
    path: P,
    options: ValueOptions<S, M, P>,
  ): Feature<M, 'number'>
  /** A text, enum or code with few different values. At most 256 characters are read. */
  category<P extends ScalarPath<S, M, CategoryLike> | ListScalarPath<S, M, CategoryLike>>(
    path: P,
    options: ValueOptions<S, M, P>,
  ): Feature<M, 'category'>
  /** The number of rows; 0 when there is none. */
  count<L extends ListPath<S, M>>(list: L, options: Rows<S, M, L>): Feature<M, 'number'>
  /** The exact decimal sum, 0 without rows. */
  sum<L extends ListPath<S, M>>(
    list: L,
    column: ScalarName<S, PathTarget<S, M, L>, NumberLike>,
    options: Rows<S, M, L>,
  ): Feature<M, 'number'>
  /** The mean of the known values; missing without any. */
  avg<L extends ListPath<S, M>>(
    list: L,
    column: ScalarName<S, PathTarget<S, M, L>, NumberLike>,
    options: Rows<S, M, L>,
  ): Feature<M, 'number'>
  min<L extends ListPath<S, M>>(
    list: L,
    column: ScalarName<S, PathTarget<S, M, L>, NumberLike>,
    options: Rows<S, M, L>,
  ): Feature<M, 'number'>
  max<L extends ListPath<S, M>>(
    list: L,
    column: ScalarName<S, PathTarget<S, M, L>, NumberLike>,
    options: Rows<S, M, L>,
  ): Feature<M, 'number'>
  /** The latest known value of a column of events. */
  last<L extends ListPath<S, M>>(
    list: L,
    column: ScalarName<S, PathTarget<S, M, L>, NumberLike>,
    options: EventRows<S, M, L>,
  ): Feature<M, 'number'>
  /** Days since the latest event of a list; missing when there was none. */
  daysSince<L extends ListPath<S, M>>(
    list: L,
    at: DateName<S, PathTarget<S, M, L>>,
    options?: FeatureText & Filter<S, M, PathTarget<S, M, L>> & { readonly lasts?: Duration },
  ): Feature<M, 'number'>
  /** Days since a plain date; missing while it lies ahead. */
  daysSince<P extends ScalarPath<S, M, Date>>(path: P, options: FeatureText & Immutable): Feature<M, 'number'>
  /** Days until a date that is known beforehand, such as a timetable's; negative once it has passed. */
  daysUntil<P extends ScalarPath<S, M, Date>>(path: P, options: FeatureText & Immutable): Feature<M, 'number'>
  /** One feature divided by another; missing when the second is 0 or missing. */
  ratio(of: Feature<M, 'number'>, to: Feature<M, 'number'>, text?: FeatureText): Feature<M, 'number'>
  /**
   * The escape to TypeScript: `compute` gets exactly what `select` names, of immutable columns of the entity and its to-one
   * relations, and the moment. It must depend on nothing else.
   */
  from<const T extends Select<S, M>>(
    select: T & Exact<T, Select<S, M>>,
    compute: (row: Selected<S, M, T>, asOf: Date) => number | boolean | null | undefined,
    options: FeatureText & Immutable,
  ): Feature<M, 'number'>
  /** As `from`, for a category. */
  categoryFrom<const T extends Select<S, M>>(
    select: T & Exact<T, Select<S, M>>,
    compute: (row: Selected<S, M, T>, asOf: Date) => string | null | undefined,
    options: FeatureText & Immutable,
  ): Feature<M, 'category'>
}

/** Whom the question is about, as of the moment. */
export interface EligibilityKit<S extends SchemaTypes, M extends ModelName<S>> {
  /** The entity itself is valid. A validity without a start has not begun. */
  holds(validity: Validity<S, M>): Holds<M>
  /** A relation leads to a row, or to at least one of a list, that is valid. */
  holds<P extends ListPath<S, M> | OnePath<S, M>>(
    path: P,
    validity: Validity<S, PathTarget<S, M, P>> & Filter<S, M, PathTarget<S, M, P>>,
  ): Holds<M>
  /** The moment of a plain column has come, or of at least one row of a list. */
  happened<P extends ScalarPath<S, M, Date> | ListScalarPath<S, M, Date>>(
    path: P,
    options?: { readonly days?: number } & (P extends ScalarPath<S, M> ? unknown : Filter<S, M, PathOwner<S, M, P>>),
  ): Holds<M>
  /** Immutable columns of the entity have these values. */
  matches(where: Where<S, M>, options: Immutable): Holds<M>
  all(...conditions: readonly Holds<M>[]): Holds<M>
  any(...conditions: readonly Holds<M>[]): Holds<M>
  not(condition: Holds<M>): Holds<M>
}

export interface LabelKit<S extends SchemaTypes, M extends ModelName<S>> {
  /** 1 when the date, or at least one row of the list, lies after the moment and at most `within` later; else 0. */
  happens<P extends ScalarPath<S, M, Date> | ListScalarPath<S, M, Date>>(
    path: P,
    options: { readonly within: Duration } & (P extends ScalarPath<S, M> ? unknown : Filter<S, M, PathOwner<S, M, P>>),
  ): Label<M>
}
