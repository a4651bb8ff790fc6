import DataLoader from 'dataloader'
import { InklingError, isInklingError } from '../platform/errors.ts'
import { withSpan } from '../platform/telemetry.ts'
import { type Batching, createBatching, MOST_PAIRS, readFeatures, scoreRows } from './batching.ts'
import { type Bulk, createBulk } from './bulk.ts'
import { deadlines } from './deadline.ts'
import type { FeatureRow, FeatureValue, Model, Pair, SqlClient } from './define.ts'
import { type Reason, reasonsOf } from './explain/reasons.ts'
import { withFallback } from './fallback.ts'
import { createFreshness } from './freshness.ts'
import type { Meter } from './meter.ts'
import { CHAMPION } from './model-version.ts'
import type { ServedBatch } from './monitoring/prediction-log.ts'
import { outcomesOf } from './outcomes.ts'
import {
  type Absence,
  type Answer,
  absenceOf,
  type Estimate,
  isPrediction,
  type Outcome,
  type Prediction,
} from './prediction.ts'
import type { Shadowing } from './rollout/shadow.ts'
import { scoreSides } from './rollout/sides.ts'
import type { ServedVersion, Serving, Sides } from './serving.ts'
import { createSlots, type Slot } from './slots.ts'
import { byMoment, estimateOf, type FreshScores, notStored, type PastScore, type PastScores } from './stored.ts'
import { findWhatIfs, type Goal, type WhatIf } from './what-if.ts'

/** What is known already comes as it is: a promise for each of a thousand rows takes longer than everything else about them. */
export type MaybePromise<T> = T | Promise<T>

/** How a prediction is wished for. */
export interface Terms {
  /** The score that was stored by the pair's moment, instead of computing one. */
  readonly asServed?: boolean
  /** Computed now, whatever the model file's `freshFor` says: more is asked than a stored score can tell. */
  readonly computed?: boolean
  /** How long the caller waits, and what it takes instead. */
  readonly within?: { readonly ms: number; readonly otherwise: 'STORED' | 'NULL' }
}

export interface PredictionLoader {
  /** One outcome of the champion per pair; equal pairs are loaded once, whatever the aliases. Never rejects for one row's sake. */
  load(pair: Pair): Promise<Outcome>
  /** The same of any version, by alias or number, from the same feature read. */
  loadVersion(pair: Pair, selector: string): Promise<Outcome>
  /**
   * The champion's outcome, or what the model's `freshFor`, its fallbacks and the caller's terms put in its place. Equal questions get the
   * same answer, and with one of them `computed` all that are asked in the same tick are.
   */
  answer(pair: Pair, terms?: Terms): MaybePromise<Answer>
  /** Finds the answers of many in one go, so that `answer` gives each at once. computed: as in the terms. */
  prepare(pairs: readonly Pair[], computed?: boolean): Promise<void>
  /** Every reason, strongest first; computed only for the predictions that are asked, all in one batch. */
  reasons(prediction: Prediction): Promise<readonly Reason[]>
  /** The smallest changes that reach a goal, smallest first; equal questions are searched once. Throws BAD_USER_INPUT past 100 searches. */
  whatIf(prediction: Prediction, goal: Goal): Promise<readonly WhatIf[]>
  /** What the champion says about values that are in no table, in the order of the features. */
  score(values: readonly FeatureValue[], asOf: Date): Promise<Outcome>
  /** Days since the newest row behind each feature, in the order of the features; null where the model cannot tell. */
  ages(pair: Pair): Promise<readonly (number | null)[] | null>
  /** Stored scores of the pair's entity in the days before its moment, oldest first. */
  history(pair: Pair, days: number): Promise<readonly PastScore[]>
}

export interface LoaderOptions {
  readonly model: Model
  readonly serving: Serving
  readonly client: SqlClient
  /** Which versions serve. */
  readonly instant: Date
  /** The process's shared reads and inferences; the loader's own when absent. */
  readonly batching?: Batching
  readonly scores?: (PastScores & Partial<FreshScores>) | undefined
  readonly meter?: Meter
  /** Compares what is served with the version behind the alias shadow. */
  readonly shadow?: Shadowing | undefined
  /** Whose entities are answered for; every other one is answered like one that is not there. Absent: a trusted caller, who sees all. */
  readonly tenant?: string
  /** The request's "now" on the data's clock: what was stored last may be newer than it. */
  readonly now?: Date
  /** Told once of what the champion answered about now, and of what stood in for it; must not throw. */
  readonly served?: ((served: ServedAnswers) => void) | undefined
}

export type ServedAnswers = Pick<ServedBatch, 'versionId' | 'answers' | 'areFallbacks' | 'threshold'>

const DAY_MS = 86_400_000
/** What is read about an entity that is not there, or not the tenant's. */
const NOBODY: FeatureRow = { eligible: false, values: [] }
/** Searches for changes in one request: each may score many thousands of rows. */
const MOST_SEARCHES = 100

/** The predictions of one model in one request: one feature read, and one inference per version, for everything asked in a tick. */
export function createPredictionLoader(options: LoaderOptions): PredictionLoader {
  const { model, serving, client, instant, scores, meter, shadow, now, tenant, served: tell } = options
  const batching = options.batching ?? createBatching(client)
  const versions = new Map<string, Bulk<Slot, Outcome>>()
  const answers = new Map<string, Promise<Answer>>()
  const substitutes = new Map<Slot, Promise<Answer>>()
  const wait = deadlines()
  let sides: Sides | null = null

  const restricts = tenant !== undefined && model.tenants !== undefined
  const slotOf = createSlots(model, restricts ? tenant : undefined)
  const owned = createBulk<Slot, boolean>(
    async (asked) => (await batching.tenants(model, asked)).map((owner) => owner === tenant),
    MOST_PAIRS,
  )
  /** What is found for the tenant's own entities; `nothing` for all others, about whom nothing is asked. */
  async function ofOwn<T>(
    asked: readonly Slot[],
    nothing: T,
    find: (own: readonly Slot[]) => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    if (!restricts) return find(asked)
    const isOwn = await owned.many(asked)
    const own = asked.filter((_, index) => isOwn[index])
    const found = own.length > 0 ? await find(own) : []
    let at = 0
    return isOwn.map((is) => (is ? found[at++]! : nothing))
  }

  const features = createBulk<Slot, FeatureRow | Absence>(async (asked) => {
    const start = performance.now()
    try {
      if (model.readsTenants) return await batching.read(model, asked)
      return await ofOwn<FeatureRow>(asked, NOBODY, (own) => batching.read(model, own))
    } catch (error) {
      if (!isInklingError(error)) throw error
      return asked.map(() => absenceOf(error))
    } finally {
      meter?.add(model.name, { rows: asked.length, reads: 1, readMs: performance.now() - start })
    }
  }, MOST_PAIRS)

  /** What is asked about another moment than now is a question about history: nobody was served by it. */
  const isNow = ({ asOf }: Pair) => now === undefined || asOf.getTime() === now.getTime()

  async function predictAll(selector: string, asked: readonly Slot[]): Promise<Outcome[]> {
    const outcomes = await computeAll(selector, asked)
    if (tell && selector === CHAMPION)
      tell({
        versionId: sides?.champion.version.id ?? null,
        answers: outcomes.filter((_, index) => isNow(asked[index]!)),
      })
    return outcomes
  }

  async function computeAll(selector: string, asked: readonly Slot[]): Promise<Outcome[]> {
    try {
      // What throws at once spares the read. Another version may have to be loaded first: the read does not wait for it,
      // so that every version of the request is read for together.
      if (selector === CHAMPION) sides ??= serving.sidesAt(model, instant)
      const reading = features.many(asked)
      reading.catch(() => {}) // heard of where it is awaited, which may be after a version was loaded
      if (selector === CHAMPION) {
        const outcomes = await scoreSides(sides!, asked, await reading, scoreAll)
        shadow?.observe(model, instant, outcomes)
        return outcomes
      }
      const served = await serving.versionAt(model, selector, instant)
      return await scoreAll(served, asked, await reading)
    } catch (error) {
      if (!isInklingError(error)) throw error
      return asked.map(() => absenceOf(error))
    }
  }

  async function scoreAll(
    served: ServedVersion,
    asked: readonly Slot[],
    rows: readonly (FeatureRow | Absence)[],
  ): Promise<Outcome[]> {
    const start = performance.now()
    const outcomes = await outcomesOf(model, served, asked, rows.map(rowOf), (cells, n) =>
      batching.score(model, served, cells, n),
    )
    meter?.add(model.name, { batches: 1, scoreMs: performance.now() - start })
    return outcomes.map((outcome, index) => {
      const row = rows[index]!
      return 'values' in row ? outcome : row
    })
  }

  function versionOf(selector: string): Bulk<Slot, Outcome> {
    let version = versions.get(selector)
    if (!version) {
      version = createBulk((asked) => predictAll(selector, asked), MOST_PAIRS)
      versions.set(selector, version)
    }
    return version
  }
  const champions = versionOf(CHAMPION)

  const stored = new DataLoader<Slot, Estimate | null>(async (asked) => {
    if (!scores) return asked.map(() => null)
    const found = await ofOwn<PastScore | null>(asked, null, (own) =>
      byMoment(own, (keys, asOf) =>
        scores.latest(model.name, keys, asOf.getTime() === now?.getTime() ? undefined : asOf),
      ),
    )
    return asked.map((slot, index) => {
      const score = found[index]
      return score ? estimateOf(model, slot.key, score) : null
    })
  })
  /** A stand-in that cannot be fetched is none; the first failure stays the reason. */
  const storedOrNone = (slot: Slot) => stored.load(slot).catch(() => null)

  const fresh = createFreshness(options, restricts ? owned.many : null)
  const computed = new Set<Slot>()
  const current = createBulk<Slot, Answer>(async (asked) => {
    const wanted = computed.size > 0 ? asked.filter((slot) => !computed.has(slot)) : asked
    sides ??= sidesOrNone()
    const found = sides && wanted.length > 0 ? await fresh!(wanted, sides) : null
    const missing = found ? asked.filter((slot) => !found.has(slot)) : asked
    const answers = missing.length > 0 ? await computeMany(missing) : []
    let at = 0
    return asked.map((slot) => found?.get(slot) ?? answers[at++]!)
  }, MOST_PAIRS)
  /** What serves nothing is told by the computation, which knows the reason. */
  function sidesOrNone(): Sides | null {
    try {
      return serving.sidesAt(model, instant)
    } catch (error) {
      if (!isInklingError(error)) throw error
      return null
    }
  }
  function answerNow(slot: Slot, mustCompute = false): MaybePromise<Answer> {
    if (!fresh || !isNow(slot)) return compute(slot)
    if (!mustCompute) return current.one(slot)
    computed.add(slot)
    return compute(slot)
  }

  function compute(slot: Slot): MaybePromise<Answer> {
    const outcome = champions.one(slot)
    return !model.fallback || (!(outcome instanceof Promise) && isPrediction(outcome))
      ? outcome
      : computeOrFallBack(slot)
  }
  async function computeMany(slots: readonly Slot[]): Promise<readonly Answer[]> {
    return model.fallback ? Promise.all(slots.map(computeOrFallBack)) : champions.many(slots)
  }
  async function computeOrFallBack(slot: Slot): Promise<Answer> {
    const outcome = await champions.one(slot)
    if (isPrediction(outcome)) return outcome
    let answer = substitutes.get(slot)
    if (!answer) {
      answer = withFallback(model, slot, outcome, {
        stored: () => storedOrNone(slot),
        features: async () => (await features.many([slot]))[0]!,
      })
      substitutes.set(slot, answer)
      const given = await answer
      if (tell && given !== outcome && isNow(slot)) tell({ versionId: null, answers: [given], areFallbacks: true })
    }
    return answer
  }
  async function answerOn(slot: Slot, terms: Terms): Promise<Answer> {
    const { asServed, within } = terms
    if (asServed) return (await stored.load(slot)) ?? notStored(model, slot.asOf)
    if (!within) return answerNow(slot, terms.computed)
    const late = Symbol('late')
    const answer = await Promise.race([answerNow(slot, terms.computed), wait(within.ms).then(() => late)])
    if (typeof answer !== 'symbol') return answer
    const estimate = within.otherwise === 'STORED' ? await storedOrNone(slot) : null
    return estimate ?? tooLate(model, within.ms)
  }

  const reasons = new DataLoader<Prediction, readonly Reason[]>(async (predictions) => {
    const start = performance.now()
    const attributes = { 'inkling.model': model.name, 'inkling.rows': predictions.length }
    const explained = await withSpan('inkling.explain', attributes, () => reasonsOf(predictions))
    meter?.add(model.name, { explainMs: performance.now() - start })
    return explained
  })
  const ages = new DataLoader<Slot, readonly (number | null)[] | null>(
    async (asked) => (await model.ages?.(client, asked)) ?? asked.map(() => null),
    { maxBatchSize: MOST_PAIRS },
  )
  const searches = new Map<Prediction, Map<string, Promise<readonly WhatIf[]>>>()
  let searchCount = 0
  const histories = new Map<number, DataLoader<Slot, readonly PastScore[]>>()

  return {
    load: async (pair) => champions.one(slotOf(pair)),
    loadVersion: async (pair, selector) => versionOf(selector.toLowerCase()).one(slotOf(pair)),
    async prepare(pairs, mustCompute) {
      const slots = pairs.map(slotOf)
      if (!fresh || !slots.every(isNow)) return void (await computeMany(slots))
      if (mustCompute) for (const slot of slots) computed.add(slot)
      await (mustCompute ? computeMany(slots) : current.many(slots))
    },
    answer(pair, terms) {
      const slot = slotOf(pair)
      if (!terms?.asServed && !terms?.within) return answerNow(slot, terms?.computed)
      const { asServed, computed, within } = terms
      const question = `${slot.id} ${asServed ?? false} ${computed ?? false} ${within?.ms} ${within?.otherwise}`
      let answer = answers.get(question)
      if (!answer) {
        answer = answerOn(slot, terms)
        answers.set(question, answer)
      }
      return answer
    },
    reasons: (prediction) => reasons.load(prediction),
    whatIf(prediction, goal) {
      let asked = searches.get(prediction)
      if (!asked) {
        asked = new Map()
        searches.set(prediction, asked)
      }
      const question = `${goal.goal} ${goal.to} ${goal.maxChanges} ${goal.first}`
      let search = asked.get(question)
      if (!search) {
        if (++searchCount > MOST_SEARCHES) throw tooManySearches()
        const start = performance.now()
        search = withSpan('inkling.whatIf', { 'inkling.model': model.name }, () => findWhatIfs(prediction, goal))
        search.then(
          () => meter?.add(model.name, { explainMs: performance.now() - start }),
          () => {}, // whoever asked hears of it
        )
        asked.set(question, search)
      }
      return search
    },
    async score(values, asOf) {
      try {
        sides ??= serving.sidesAt(model, instant) // values of nobody: an experiment has no side for them
        const [outcome] = await scoreAll(sides.champion, [{ id: '', key: {}, asOf }], [{ eligible: true, values }])
        return outcome!
      } catch (error) {
        if (!isInklingError(error)) throw error
        return absenceOf(error)
      }
    },
    ages: (pair) => ages.load(slotOf(pair)),
    history(pair, days) {
      let history = histories.get(days)
      if (!history) {
        history = new DataLoader(async (asked) => {
          if (!scores) return asked.map(() => [])
          return byMoment(asked, (keys, asOf) =>
            scores.history(model.name, keys, new Date(asOf.getTime() - days * DAY_MS), asOf),
          )
        })
        histories.set(days, history)
      }
      return history.load(slotOf(pair))
    },
  }
}

/** Reads the features of all pairs in one statement and scores the eligible ones in one inference. Throws what no row survives. */
export async function predict(
  model: Model,
  served: ServedVersion,
  client: SqlClient,
  pairs: readonly Pair[],
): Promise<Outcome[]> {
  const read = await readFeatures(model, client, pairs)
  return outcomesOf(model, served, pairs, read, (rows, n) => scoreRows(model, served, rows, n))
}

function rowOf(row: FeatureRow | Absence): FeatureRow {
  return 'values' in row ? row : { eligible: false, values: [] }
}

function tooManySearches(): InklingError {
  return new InklingError(
    'BAD_USER_INPUT',
    `More than ${MOST_SEARCHES} searches for changes in one request.`,
    'Ask whatIf for fewer entities at a time.',
  )
}

function tooLate(model: Model, ms: number): Absence {
  return {
    code: 'DEADLINE_EXCEEDED',
    message: `${model.name} was not predicted within ${ms} ms.`,
    hint: 'Allow more time, or take a stored score: `otherwise: STORED`.',
  }
}
