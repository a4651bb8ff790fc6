import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Queryable } from '../../platform/database.ts'
import type { ErrorCode } from '../../platform/errors.ts'
import type { Model } from '../define.ts'
import type { ModelContents } from '../model-version.ts'
import { forgottenKeys, lockAgainstForgetting } from '../people/tombstones.ts'
import { type Answer, type Estimate, isEstimate, isPrediction, type Prediction, type Source } from '../prediction.ts'
import { keyText } from '../scores/key.ts'
import { featureBinOf, MISSING, UNKNOWN } from './bins.ts'
import type { ServedBatch } from './prediction-log.ts'
import {
  addServed,
  createSketchChanges,
  dayOf,
  type FeatureSketch,
  type Sketch,
  type SketchChanges,
} from './sketches.ts'
import { type SliceColumn, sliceColumnsOf, slicesOf } from './slices.ts'

/** Rows between two turns of the event loop: binning them takes about a millisecond. */
const TURN = 200

/** What the rows of one version about one moment have in common. */
interface Ground {
  readonly batch: ServedBatch
  readonly contents: ModelContents | undefined
  readonly versionId: string | null
  readonly threshold: number
  readonly asOf: string
  readonly source: Source
  readonly sketch: Sketch
  sketchOf(slice: string): Sketch
  /** By column; null for one without statistics. */
  readonly features: readonly (FeatureSketch | null)[]
  readonly sliceColumns: readonly SliceColumn[]
}

interface Row {
  readonly key: string
  readonly probability: number
  readonly bins: readonly number[]
  readonly slices: readonly string[]
  readonly values: object | null
}

/** Where a probability becomes yes: as the model file says, else where its version was judged. */
export function thresholdOf(model: Model, contents?: Pick<ModelContents, 'metrics'>): number {
  return model.threshold ?? contents?.metrics.threshold ?? 0.5
}

/** Answers that say that something was wrong, rather than that there is nothing to say. */
const quiet: ReadonlySet<ErrorCode> = new Set(['NOT_APPLICABLE', 'NOT_STORED', 'DEADLINE_EXCEEDED'])

/** Adds served predictions to the log and to the sketches. Part of the caller's transaction. */
export async function writeServed(client: Queryable, batches: readonly ServedBatch[]): Promise<void> {
  await lockAgainstForgetting(client)
  const isForgotten = await forgottenKeys(client)
  const changes = createSketchChanges()
  const rows = new Map<Ground, Row[]>()
  let waiting = 0
  let seen = 0
  for (const batch of batches) {
    const groundOf = rememberGrounds(changes, batch)
    for (const answer of batch.answers) {
      if (++seen % TURN === 0) await nextTurn()
      if (!isEstimate(answer) && quiet.has(answer.code)) continue
      const ground = groundOf(answer)
      if (!isEstimate(answer)) {
        ground.sketch[answer.code === 'ABSTAINED' ? 'abstained' : 'failed']++
        continue
      }
      const row = count(ground, answer)
      if (!isSampled(ground, row) || isForgotten(batch.tenant, batch.model, answer.key)) continue
      const group = rows.get(ground)
      if (group) group.push(row)
      else rows.set(ground, [row])
      if (++waiting < 1000) continue
      await insert(client, rows)
      rows.clear()
      waiting = 0
    }
  }
  await insert(client, rows)
  await changes.write(client)
}

/** Rows are counted by the thousand: what they share is looked up once. */
function rememberGrounds(changes: SketchChanges, batch: ServedBatch): (answer: Answer) => Ground {
  const known = new Map<string, Ground>()
  return (answer) => {
    const id = isEstimate(answer) ? `${answer.source} ${answer.versionId} ${answer.asOf.getTime()}` : ''
    let ground = known.get(id)
    if (!ground) {
      ground = groundOf(changes, batch, answer)
      known.set(id, ground)
    }
    return ground
  }
}

function groundOf(changes: SketchChanges, batch: ServedBatch, answer: Answer): Ground {
  const { model, tenant } = batch
  const contents = isEstimate(answer) && isPrediction(answer) ? answer.version.version.contents : undefined
  const threshold = batch.threshold ?? thresholdOf(model, contents)
  const moment = isEstimate(answer) ? answer.asOf : batch.asOf
  const versionId = isEstimate(answer) ? answer.versionId : batch.versionId
  const key = { tenant, model: model.name, versionId: versionId ?? '', day: dayOf(moment) }
  return {
    batch,
    contents,
    versionId,
    threshold,
    asOf: moment.toISOString(),
    source: isEstimate(answer) ? answer.source : 'MODEL',
    sketch: changes.of({ ...key, threshold, slice: '' }),
    sketchOf: (slice) => changes.of({ ...key, threshold, slice }),
    features: (contents?.columns ?? []).map(({ name: feature }, column) => {
      const known = contents!.statistics[column]
      return known ? changes.featureOf({ ...key, feature }, known.edges.length + 1) : null
    }),
    sliceColumns: contents ? sliceColumnsOf(model, contents) : [],
  }
}

/** Counts one answer; returns its row. */
function count(ground: Ground, estimate: Estimate): Row {
  const { batch, sketch } = ground
  if (batch.areFallbacks) sketch.fallback++
  else {
    sketch.answered++
    addServed(sketch, estimate.probability)
  }
  const bins = isPrediction(estimate) ? countFeatures(ground, estimate) : []
  const slices = bins.length > 0 ? slicesOf(ground.sliceColumns, bins) : []
  // Slices of what was kept back or failed are not known: their shares are those of the whole alone.
  for (const slice of slices) addServed(ground.sketchOf(slice), estimate.probability)
  return {
    key: keyText(estimate.key),
    probability: estimate.probability,
    bins,
    slices,
    values: batch.model.predictionLog?.values && isPrediction(estimate) ? namedValues(estimate) : null,
  }
}

function countFeatures({ contents, features }: Ground, { row, values }: Prediction): number[] {
  return features.map((sketch, column) => {
    if (!sketch) return MISSING
    const bin = featureBinOf(contents!.statistics[column]!, row[column]!, values[column])
    const { counts } = sketch
    counts[bin === MISSING ? counts.length - 2 : bin === UNKNOWN ? counts.length - 1 : bin]! += 1
    return bin
  })
}

function namedValues({ model, values }: Prediction): object {
  return Object.fromEntries(model.features.map(({ name }, index) => [name, values[index] ?? null]))
}

/** The same prediction is sampled or not wherever it is served, whatever it says: no share of labels is lost to chance twice. */
function isSampled({ batch, asOf }: Ground, { key }: Row): boolean {
  const share = batch.model.predictionLog?.share ?? 1
  if (share >= 1) return true
  let hash = 2166136261 // FNV-1a
  for (const character of `${key}@${asOf}`) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619)
  return (hash >>> 0) / 2 ** 32 < share
}

async function insert(client: Queryable, rows: ReadonlyMap<Ground, readonly Row[]>): Promise<void> {
  if (rows.size === 0) return
  const groups = [...rows].map(([{ batch, asOf, versionId, threshold, source }, group]) => {
    const { tenant, model, servedAt } = batch
    return { tenant, model: model.name, asOf, servedAt, versionId, threshold, source, rows: group }
  })
  await client.query(
    `INSERT INTO inkling."Prediction" (tenant, model, key, "asOf", "servedAt", "versionId", probability, threshold, source, bins, slices, "values")
     SELECT tenant, model, key, "asOf", "servedAt", "versionId", probability, threshold, source, bins, slices, "values"
     FROM jsonb_to_recordset($1::jsonb) AS g (tenant text, model text, "asOf" timestamptz, "servedAt" timestamptz, "versionId" uuid,
         threshold float8, source text, rows jsonb),
       jsonb_to_recordset(g.rows) AS x (key text, probability float8, bins smallint[], slices text[], "values" jsonb)`,
    [JSON.stringify(groups)],
  )
}
