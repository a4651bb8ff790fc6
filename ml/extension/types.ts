import type { Prisma } from '@prisma/client/extension'
import type { NamedModel } from '../define.ts'
import type { Reason } from '../explain/reasons.ts'
import type { Absence, RiskLevel, Source } from '../prediction.ts'

/** What a model says about a row. */
export interface RowPrediction {
  readonly failure: null
  /** 0..1. */
  readonly probability: number
  /** An interval that holds the probability, 0..1. */
  readonly low: number
  readonly high: number
  /** 1 - (high - low). */
  readonly confidence: number
  readonly riskLevel: RiskLevel
  /** MODEL: computed now. STORED and RULE: the model file's fallbacks. */
  readonly source: Source
  /** The version that answered; null for a rule. */
  readonly versionId: string | null
  /** The moment that it looks from. */
  readonly asOf: Date
  /** What speaks for and against it, strongest first; empty where nothing was computed. Those of one call are explained together. */
  reasons(): Promise<readonly Reason[]>
}

/** Why a model says nothing about a row. */
export interface RowFailure {
  readonly failure: Absence
  readonly probability: null
  readonly low: null
  readonly high: null
  readonly confidence: null
  readonly riskLevel: null
  readonly source: null
  readonly versionId: null
  readonly asOf: Date
  reasons(): Promise<readonly Reason[]>
}

export type OnFailure = 'value' | 'throw'

/** A failure is a value, unless it is to be thrown. */
export type RowAnswer<F extends OnFailure> = F extends 'throw' ? RowPrediction : RowPrediction | RowFailure

type ModelsOf<Models extends readonly NamedModel[], Entity> = Extract<Models[number], { readonly entity: Entity }>

/** The `_ml` of an entity's rows: one answer per model that asks about it. */
export type Answers<Models extends readonly NamedModel[], Entity, F extends OnFailure> = {
  readonly [M in ModelsOf<Models, Entity> as M['name']]: RowAnswer<F>
}

/** A row exactly as Prisma types it, and what the models say. */
export type WithMl<Row, Models extends readonly NamedModel[], Entity, F extends OnFailure> = Row & {
  readonly _ml: Answers<Models, Entity, F>
}

export interface CallOptions<F extends OnFailure> {
  /** Look from this moment, with what was known then. Default: now. */
  readonly asOf?: Date
  /** 'throw' rejects with the first failure. Default: the extension's, 'value'. */
  readonly onFailure?: F
}

/** The methods that an entity's delegate gets; no interface, because Prisma asks for an index signature. T is the delegate, whichever client it belongs to. */
export type EntityMethods<Models extends readonly NamedModel[], Entity, Default extends OnFailure> = {
  /** `findUnique` with `_ml`; null when there is no such row. Rejects as findUnique does. */
  withML<T, A, F extends OnFailure = Default>(
    this: T,
    args: Prisma.Exact<A, Prisma.Args<T, 'findUnique'>>,
    options?: CallOptions<F>,
  ): Promise<WithMl<NonNullable<Prisma.Result<T, A, 'findUnique'>>, Models, Entity, F> | null>
  /** `findMany` with `_ml` on every row: one read and one inference per model. Rejects as findMany does. */
  withMLMany<T, A, F extends OnFailure = Default>(
    this: T,
    args?: Prisma.Exact<A, Prisma.Args<T, 'findMany'>>,
    options?: CallOptions<F>,
  ): Promise<WithMl<Prisma.Result<T, A, 'findMany'>[number], Models, Entity, F>[]>
}

/** Methods by delegate: only entities that a model asks about have them. */
export type EntityComponents<Models extends readonly NamedModel[], Default extends OnFailure> = {
  [Entity in Models[number]['entity'] as Uncapitalize<Entity>]: EntityMethods<Models, Entity, Default>
}
