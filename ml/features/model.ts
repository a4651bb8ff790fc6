// The contract between a question in code and the engine that trains and serves it.
import type { SplitBy } from '../../trainer/folds.ts'
import type { Costs } from '../../trainer/metrics.ts'

/** The key of one entity, field by field: { learnerId: '1', objectiveId: '2' }. */
export type KeyValues = Readonly<Record<string, string | number>>

/** An entity and the moment from which it is looked at. */
export interface Pair {
  readonly key: KeyValues
  readonly asOf: Date
  /** Whose the entity has to be: with `Model.readsTenants` another tenant's is read like one that is not there. Absent: anybody's. */
  readonly tenant?: string | undefined
}

/** A boolean is 0 or 1, a category its text, what is missing null. */
export type FeatureValue = number | string | null

/** What a person could change about a feature, for "what would help" answers. */
export interface Actionable {
  readonly min?: number
  readonly max?: number
  readonly step?: number
  /** Which way it can be moved; both when absent. */
  readonly direction?: 'up' | 'down'
}

export interface FeatureSpec {
  readonly name: string
  readonly kind: 'number' | 'category'
  readonly unit?: string
  /** The sentence shown when the feature raises the score. */
  readonly says: string
  /** The sentence shown when it lowers the score. */
  readonly saysLower?: string
  readonly actionable?: Actionable
  /** The score may only rise (1) or only fall (-1) with the feature. */
  readonly monotone?: 1 | -1
  /** kind 'category': the levels, where they are known beforehand. */
  readonly levels?: readonly string[]
}

export interface LabelRow extends Pair {
  /** 0 or 1. */
  readonly label: number
  /** Rows of one group never stand on both sides of a split; absent: the key itself, or its field `Model.group`. */
  readonly group?: string
}

/** Where the score becomes LOW, MEDIUM and HIGH. */
export interface Bands {
  readonly LOW: number
  readonly MEDIUM: number
  readonly HIGH: number
}

/** Bounds on one metric of the hold-out. */
export interface Bounds {
  readonly min?: number
  readonly max?: number
}

/** What one metric demands of a version. A version that misses any demand is rejected. */
export interface Gate extends Bounds {
  /** The same for every level of a category feature that has so many hold-out rows; 100 when absent. */
  readonly slices?: Readonly<Record<string, Bounds & { readonly rows?: number }>>
  /**
   * Against the champion on the same hold-out rows: the lower bound of the 95 % interval of the gain, which is positive where the new
   * version is better. `{ atLeast: -0.01 }`: at most 0.01 worse; `{ atLeast: 0 }`: surely not worse.
   */
  readonly champion?: { readonly atLeast: number }
  /** The same against the model file's `rule`, or against answering with the base rate. */
  readonly baseline?: { readonly atLeast: number }
}

/** Demands by metric: { auc: { min: 0.75 }, calibrationError: { max: 0.05 } }. */
export type Gates = Readonly<Record<string, Gate>>

/** What the policy if-better asks: the lower bound of the 95 % interval of the gain over the champion. */
export interface Better {
  /** logLoss when absent. */
  readonly metric?: string
  /** 0 when absent. */
  readonly atLeast?: number
}

/** When a version keeps its prediction to itself: too little is known, or the answer is too vague. */
export interface Abstain {
  /** The largest share of features that may be missing or unknown, 0..1. */
  readonly missingShare?: number
  /** The widest interval that may be given, 0..1. */
  readonly width?: number
}

/** What may stand in for a model that cannot answer: its last stored score, or the rule of the model file. */
export type Fallback = 'STORED' | 'RULE'

/** A probability by rule of thumb from the features as read, 0..1; null when it cannot tell either. */
export type Rule = (values: Readonly<Record<string, FeatureValue>>) => number | null

/** A bound on a figure of what is served. */
export interface AlertBound {
  readonly min?: number
  readonly max?: number
}

/**
 * When somebody should look at what serves. A metric that is not named is held against the hold-out's own figure and interval; `false`
 * leaves a rule out.
 */
export interface Alerts {
  /** Whom alerts are for: a team, a mailbox. */
  readonly owner?: string
  readonly accuracy?: AlertBound
  readonly precision?: AlertBound
  readonly recall?: AlertBound
  readonly auc?: AlertBound
  readonly logLoss?: AlertBound
  readonly calibrationError?: AlertBound
  /** Features whose distribution left that of training: by population stability index (0.2 when absent), all but these. */
  readonly drift?: { readonly psi?: number; readonly ignore?: readonly string[] } | false
  /** The share of predictions that a version keeps to itself; 0.2 when absent. */
  readonly abstention?: { readonly max: number } | false
  /** The share of predictions that failed; 0.05 when absent. */
  readonly errors?: { readonly max: number } | false
  /** Days that are looked at together; 7 when absent. */
  readonly days?: number
  /** Rows that a figure needs at least; 100 when absent. */
  readonly minimumRows?: number
}

/** When a model is trained again. Every retraining goes through the gates and serves only where it is better. */
export interface Retrain {
  /** Cron or an RFC 5545 rule; Mondays at three when absent, false for never by the clock. */
  readonly every?: string | false
  /** IANA name; UTC when absent. */
  readonly timeZone?: string
  /** Also when an alert of drift opens. */
  readonly onDrift?: boolean
  /** Also after so many outcomes that count since the last run. */
  readonly onOutcomes?: number
}

/** What is remembered of served predictions. */
export interface PredictionLogging {
  /** Share of them kept as rows, 0..1; all when absent. Sums count every one. */
  readonly share?: number
  /** Keeps the raw features as well. */
  readonly values?: boolean
}

/** Any Prisma client, also inside a transaction. */
export interface SqlClient {
  $queryRawUnsafe<T = unknown>(sql: string, ...values: unknown[]): Promise<T>
}

export interface FeatureRow {
  /** Whether the question is about this entity at that moment; false becomes NOT_APPLICABLE. */
  readonly eligible: boolean
  /** In the order of `Model.features`. */
  readonly values: readonly FeatureValue[]
}

/** A question in code. What `defineModel` returns, without the types of its author's schema. */
export interface Model {
  readonly name: string
  /** A GraphQL type with a key. */
  readonly entity: string
  /** The key's fields, in the schema's order. */
  readonly key: readonly string[]
  readonly question: string
  /** The field in the graph; the model's name when absent. */
  readonly field?: string
  /** The plain number beside it; `<field>Probability` when absent. */
  readonly probabilityField?: string
  readonly features: readonly FeatureSpec[]
  readonly bands: Bands
  readonly gates?: Gates
  readonly better?: Better
  readonly abstain?: Abstain
  /** Tried in order when the model cannot answer; never when it abstains or the question does not apply. */
  readonly fallback?: readonly Fallback[]
  readonly rule?: Rule
  /** How long a stored score may answer instead of a computation; always computed when absent. */
  readonly freshForMs?: number
  /** Labelled rows that training needs at least; 200 when absent. */
  readonly minimumRows?: number
  /** Hold-outs to report; the first is the main one. */
  readonly split?: readonly SplitBy[]
  /** Category features whose levels get metrics of their own. */
  readonly slices?: readonly string[]
  /** A number feature that holds the answer as it was last known (0 or 1): a baseline beside the majority. */
  readonly lastKnown?: string
  /** Of probabilities; platt when absent. With isotonic, reasons add up to the log-odds before calibration. */
  readonly calibration?: 'platt' | 'isotonic'
  /** What wrong decisions cost; moves the threshold of precision, recall and F1 away from 0.5. */
  readonly costs?: Costs
  /** Where a probability becomes yes; what `costs` give, or 0.5, when absent. */
  readonly threshold?: number
  /** false: nobody is told of anything. */
  readonly alerts?: Alerts | false
  /** false: never by itself. */
  readonly retrain?: Retrain | false
  readonly predictionLog?: PredictionLogging
  /** An outcome answers predictions that look from up to so many days before it; 30 when absent. */
  readonly outcomes?: { readonly withinDays: number }
  /** A field of the key that groups rows. Groups by other columns arrive with the label rows. */
  readonly group?: string
  /** sha256 of names, kinds, units, order and the shape of the SQL: a version serves only the features it was trained on. */
  readonly schemaHash: string
  /** By feature: the columns that it is read from, as `schema.table.column`; absent where own SQL reads. */
  readonly sources?: Readonly<Record<string, readonly string[]>>
  /** The text that decides whom the question is about and what the labels are, where it is known: part of a receipt. */
  readonly labelShape?: string
  /** Features in the order of the pairs, in one statement. Nothing later than a pair's `asOf` is seen. Rejects with FEATURE_READ_FAILED. */
  read(client: SqlClient, pairs: readonly Pair[]): Promise<readonly FeatureRow[]>
  /** Days since the newest row behind each feature, in the order of `features`; null where a feature has no rows or no times. */
  ages?(client: SqlClient, pairs: readonly Pair[]): Promise<readonly (readonly (number | null)[])[]>
  /**
   * Whose entities these are, in the order of the keys, in one statement; null for one that is not there. Absent: rows belong to no
   * tenant, and nothing is looked up. Another tenant's entity is answered like one that is not there, before any feature is read.
   */
  tenants?(client: SqlClient, keys: readonly KeyValues[]): Promise<readonly (string | null)[]>
  /** Whether `read` minds the tenants of its pairs. Otherwise whoever serves looks them up before it reads. */
  readonly readsTenants?: boolean
  /** Labelled pairs in pages of at most `pageSize`; moments whose window is not over at `now` are left out. */
  labels(client: SqlClient, options: LabelOptions): AsyncIterable<readonly LabelRow[]>
  /** The label of each pair, 0 or 1; null for whom the question is not about. Exact only once `labelWindowMs` is over. */
  labelsAt?(client: SqlClient, pairs: readonly Pair[]): Promise<readonly (0 | 1 | null)[]>
  /** How long after a moment its label is known. */
  readonly labelWindowMs?: number
  /** Keys of the entities that the question is about at `asOf`, ordered, after a key. */
  candidates?(client: SqlClient, options: CandidateOptions): Promise<KeyValues[]>
}

export interface LabelOptions {
  readonly now: Date
  /** Only moments at or after this one, where the model can tell without reading the others. */
  readonly from?: Date
  readonly pageSize: number
  readonly signal?: AbortSignal
}

export interface CandidateOptions {
  readonly asOf: Date
  readonly after?: KeyValues
  readonly limit: number
  /** Only this tenant's entities. Own SQL may leave it to the engine, which looks again. */
  readonly tenant?: string
}
