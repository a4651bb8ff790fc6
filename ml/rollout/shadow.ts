import type { Database } from '../../platform/database.ts'
import { messageOf } from '../../platform/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Model } from '../define.ts'
import { SHADOW } from '../model-version.ts'
import { isPrediction, type Outcome, type Prediction, riskLevelOf } from '../prediction.ts'
import type { Serving } from '../serving.ts'
import { addComparisons, type ShadowSums } from './shadow-store.ts'

/** Lets the shadow score what was served, from the same feature read, after it was served. */
export interface Shadowing {
  /** Takes note of what a request is answered with. Never waits, never throws, changes nothing. */
  observe(model: Model, instant: Date, outcomes: readonly Outcome[]): void
  /** Scores and stores all that waits. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface ShadowOptions {
  readonly database: Database
  readonly serving: Serving
  readonly log: Log
  /** Of the rows that are served, so many are compared, 0..1. */
  readonly share?: number
  /** How often sums are stored. */
  readonly flushMs?: number
}

/** Rows that may wait; those beyond are counted and left out. About 10 MB. */
const MOST_WAITING = 5000
/** Rows of one inference: more than the event loop should score by itself, so that a thread does. */
const BATCH = 1000
/** A breath between batches: the shadow takes what requests leave. */
const PAUSE_MS = 20
const FLUSH_MS = 10_000
/** Probabilities that differ by so much are a disagreement. */
const APART = 0.1
const HOUR_MS = 3_600_000

export function createShadowing(options: ShadowOptions): Shadowing {
  const { database, serving, log, share = 1, flushMs = FLUSH_MS } = options
  let waiting: Prediction[] = []
  const sums = new Map<string, ShadowSums>()
  let timer: NodeJS.Timeout | undefined
  let draining: Promise<void> = Promise.resolve()
  let isClosed = false

  function sumsOf(model: string, servedId: string, shadowId: string): ShadowSums {
    const hour = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS)
    const id = `${model} ${servedId} ${shadowId} ${hour.getTime()}`
    const known = sums.get(id)
    if (known) return known
    const counts = { rows: 0, agreed: 0, disagreed: 0, failed: 0, dropped: 0 }
    const fresh = { model, servedId, shadowId, hour, ...counts, difference: 0, distance: 0, squares: 0, largest: 0 }
    sums.set(id, fresh)
    return fresh
  }

  function schedule(): void {
    if (timer || isClosed) return
    timer = setTimeout(() => {
      timer = undefined
      draining = draining.then(drain)
    }, PAUSE_MS)
    timer.unref()
  }

  async function drain(): Promise<void> {
    const batch = waiting.slice(0, BATCH)
    waiting = waiting.slice(BATCH)
    for (const [model, predictions] of Map.groupBy(batch, (prediction) => prediction.model))
      await compare(model, predictions)
    if (waiting.length > 0) schedule()
  }

  async function compare(model: Model, predictions: readonly Prediction[]): Promise<void> {
    const shadowId = serving.aliasAt(model, SHADOW, new Date())
    if (!shadowId) return
    try {
      const { encoder, predictor } = await serving.versionAt(model, SHADOW, new Date())
      const rows = new Float32Array(predictions.length * encoder.width)
      for (const [at, { values }] of predictions.entries()) encoder.write(rows, at, values)
      const scores = await predictor.score(rows, predictions.length)
      for (const [at, prediction] of predictions.entries())
        add(sumsOf(model.name, prediction.version.version.id, shadowId), prediction, scores[at]!)
    } catch (error) {
      for (const { version } of predictions) sumsOf(model.name, version.version.id, shadowId).failed++
      log.warn({ event: 'shadow could not score', model: model.name, versionId: shadowId, error: messageOf(error) })
    }
  }

  async function store(): Promise<void> {
    const stored = [...sums.values()]
    sums.clear()
    try {
      await addComparisons(database, stored)
    } catch (error) {
      log.warn({ event: 'shadow comparison lost', rows: stored.length, error: messageOf(error) })
    }
  }
  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      draining = draining.then(drain)
      await draining
    }
    await draining
    await store()
  }
  const storing = setInterval(() => {
    if (sums.size > 0) void store()
  }, flushMs)
  storing.unref()

  return {
    observe(model, instant, outcomes) {
      const shadowId = serving.aliasAt(model, SHADOW, instant)
      if (!shadowId || isClosed) return
      for (const outcome of outcomes) {
        if (!isPrediction(outcome) || outcome.versionId === shadowId || (share < 1 && Math.random() >= share)) continue
        if (waiting.length < MOST_WAITING) waiting.push(outcome)
        else sumsOf(model.name, outcome.version.version.id, shadowId).dropped++
      }
      if (waiting.length > 0) schedule()
    },
    flush,
    async close() {
      isClosed = true
      clearInterval(storing)
      clearTimeout(timer)
      await flush()
    },
  }
}

function add(sums: ShadowSums, { model, probability, riskLevel }: Prediction, shadow: number): void {
  const difference = shadow - probability
  const distance = Math.abs(difference)
  sums.rows++
  if (riskLevelOf(shadow, model.bands) === riskLevel) sums.agreed++
  if (distance >= APART) sums.disagreed++
  sums.difference += difference
  sums.distance += distance
  sums.squares += difference * difference
  sums.largest = Math.max(sums.largest, distance)
}
