// What a model file passes to defineModel, in its two forms.
import type { SplitBy } from '../../trainer/folds.ts'
import type { Costs } from '../../trainer/metrics.ts'
import type { EligibilityKit, Feature, FeatureKit, Holds, Label, LabelKit } from './kit.ts'
import type {
  Abstain,
  Alerts,
  Bands,
  Better,
  CandidateOptions,
  Fallback,
  Gates,
  KeyValues,
  LabelRow,
  Pair,
  PredictionLogging,
  Retrain,
  Rule,
  SqlClient,
} from './model.ts'
import type { ModelName, ScalarPath, SchemaTypes } from './payload.ts'
import type { Duration, FeatureText } from './reading.ts'

/** What both forms say. */
export interface Question<M extends string> {
  /** Names the model everywhere, also its field in the graph: a letter, then letters and digits. */
  readonly name: string
  /** A Prisma model and a federation key: its @id, @@id or @unique. */
  readonly entity: M
  readonly question: string
  /** The field in the graph, where it is not the name. */
  readonly field?: string
  /** The plain number beside it in the graph; `<field>Probability` when absent. */
  readonly probabilityField?: string
  /** Where scores become LOW (0), MEDIUM and HIGH. */
  readonly bands: Bands
  readonly gates?: Gates
  /** How much better than the champion a version must be to be promoted under the policy if-better. */
  readonly better?: Better
  /** When to answer nothing (ABSTAINED) rather than something vague. */
  readonly abstain?: Abstain
  /** What stands in, in order, when the model cannot answer. */
  readonly fallback?: readonly Fallback[]
  /** The rule of thumb behind `fallback: ['RULE']`. */
  readonly rule?: Rule
  /**
   * A stored score of the version that serves may answer for so long instead of a computation (`source: STORED` with its `scoredAt`), unless
   * a watched row changed since, or reasons or the like are asked. Default: always computed.
   */
  readonly freshFor?: Duration
  /** Hold-outs to report; the first is the main one. Default: by time and group where the rows allow it. */
  readonly split?: readonly SplitBy[]
  /** Category features whose levels get metrics of their own: is the model as good for everyone? */
  readonly slices?: readonly string[]
  /** A number feature that holds the answer as it was last known (0 or 1): a baseline beside the majority. */
  readonly lastKnown?: string
  /** Of probabilities; platt when absent. With isotonic, reasons add up to the log-odds before calibration. */
  readonly calibration?: 'platt' | 'isotonic'
  /** What wrong decisions cost; moves the threshold of precision, recall and F1 away from 0.5. */
  readonly costs?: Costs
  /** Where a probability becomes yes. Default: what `costs` give, or 0.5. */
  readonly threshold?: number
  /** When somebody should look at what serves. Default: where it falls behind its own hold-out, drifts, abstains or fails. */
  readonly alerts?: Alerts | false
  /** When it is trained again. Default: weekly. */
  readonly retrain?: Retrain | false
  /** What is remembered of served predictions. Default: all of them, without their raw features. */
  readonly predictionLog?: PredictionLogging
  /** How long before an outcome the predictions look from that it answers. Default: 30 days. */
  readonly outcomes?: { readonly withinDays: number }
  /** Fewer labelled rows than this are too few to train. */
  readonly minimumRows?: number
}

/** Features, eligibility and label in the words of the kit. */
export interface KitDefinition<S extends SchemaTypes, M extends ModelName<S>> extends Question<M> {
  /** Own SQL is the other form. */
  readonly read?: never
  readonly features: (f: FeatureKit<S, M>) => Readonly<Record<string, Feature<M>>>
  /** Whom the question is about; everyone when absent. */
  readonly eligible?: (f: EligibilityKit<S, M>) => Holds<M>
  /** The column that names an entity's tenant, its own or behind to-one relations: 'tenant', 'learner.tenant'. Absent: everybody's. */
  readonly tenant?: ScalarPath<S, M, string>
  readonly label: (f: LabelKit<S, M>) => Label<M>
  /** The moments that training looks from: multiples of `every` since the epoch, from `from` on. */
  readonly snapshots: {
    readonly every: Duration
    /** Default: the earliest start that `eligible` asks for. A path counts for each entity by itself. */
    readonly from?: Date | ScalarPath<S, M, Date>
  }
  /** Rows with the same value never stand on both sides of a split. Default: the key. */
  readonly group?: ScalarPath<S, M, string | number | bigint>
}

/** One input of a model that reads with its own SQL. */
export interface OwnFeature extends FeatureText {
  readonly kind: 'number' | 'category'
}

type ValueOf<F extends OwnFeature> = F['kind'] extends 'number'
  ? number | bigint | boolean | { toFixed(digits?: number): string } | null
  : string | null

/** One row that own SQL answers with: eligible or not, and a value for each feature by its name. */
export type OwnRow<F extends Readonly<Record<string, OwnFeature>>> = { readonly eligible: boolean } & {
  readonly [K in keyof F]: ValueOf<F[K]>
}

export interface OwnLabelOptions {
  /** Only moments at or after this one. */
  readonly from: Date
  /** Only answers that are known at this moment. */
  readonly to: Date
  /** The last row of the page before; null for the first page. */
  readonly after: LabelRow | null
  /** The most rows to answer with. */
  readonly limit: number
}

/**
 * Labelled pairs in a fixed order; a label must be settled: its window is over at `to`. Either a function that answers with
 * the page after `after` (fewer rows than `limit` mean that it was the last), or a generator of pages of about `limit` rows.
 */
export type OwnLabels = (
  client: SqlClient,
  options: OwnLabelOptions,
) => Promise<readonly LabelRow[]> | AsyncIterable<readonly LabelRow[]>

/** Features and labels by own SQL. */
export interface OwnSqlDefinition<M extends string, F extends Readonly<Record<string, OwnFeature>>>
  extends Question<M> {
  readonly features: F
  /** The column that names an entity's tenant, its own or behind to-one relations: 'tenant', 'learner.tenant'. Absent: everybody's. */
  readonly tenant?: string
  /** The text that decides what a read means, usually its SQL: part of the schema hash, so that a change needs a new training. */
  readonly shape: string
  /** One row for each pair in the order of the pairs, in one statement. It must see nothing later than a pair's `asOf`. */
  readonly read: (client: SqlClient, pairs: readonly Pair[]) => Promise<readonly OwnRow<F>[]>
  readonly labels: OwnLabels
  readonly candidates?: (client: SqlClient, options: CandidateOptions) => Promise<KeyValues[]>
  /** A field of the key that groups rows; or give each label row its `group`. */
  readonly group?: string
}
