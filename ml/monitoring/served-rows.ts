import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Queryable } from '../../platform/database.ts'
import type { ErrorCode } from '../../platform/errors.ts'
import type { Model } from '../define.ts'
import type { ModelContents } from '../model-version.ts'
import { forgottenKeys, lockAgainstForgetting } from '../people/tombstones.ts'
import { type Answer, type Estimate, isEstimate, isPrediction, type Prediction } from '../prediction.ts'
import { keyText } from '../scores/key.ts'
import { featureBinOf, MISSING, UNKNOWN } from './bins.ts'
import type { ServedBatch } from './prediction-log.ts'
import { createSketchChanges, dayOf, type SketchChanges } from './sketches.ts'
import { sliceColumnsOf, slicesOf } from './slices.ts'

/** Rows between two turns of the event loop: binning them takes about a millisecond. */
const TURN = 200

interface Row {
  readonly tenant: string
  readonly model: string
  readonly key: string
  readonly asOf: string
  readonly servedAt: string
  readonly versionId: string | null
  readonly probability: number
  readonly threshold: number
  readonly source: string
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
  let rows: Row[] = []
  let seen = 0
  for (const batch of batches)
    for (const answer of batch.answers) {
      if (++seen % TURN === 0) await nextTurn()
      const row = count(changes, batch, answer)
      if (!row || !isSampled(batch.model, row) || isForgotten(batch.tenant, batch.model, (answer as Estimate).key))
        continue
      rows.push(row)
      if (rows.length < 1000) continue
      await insert(client, rows)
      rows = []
    }
  await insert(client, rows)
  await changes.write(client)
}

/** Counts one answer; returns its row, null for what gave no probability. */
function count(changes: SketchChanges, batch: ServedBatch, answer: Answer): Row | null {
  const { model, tenant, versionId, servedAt, areFallbacks } = batch
  const isComputed = isEstimate(answer) && isPrediction(answer)
  const contents = isComputed ? answer.version.version.contents : undefined
  const threshold = thresholdOf(model, contents)
  const day = dayOf(isEstimate(answer) ? answer.asOf : batch.asOf)
  const answerer = isEstimate(answer) ? answer.versionId : versionId
  const key = { tenant, model: model.name, versionId: answerer ?? '', threshold, day, slice: '' }
  if (!isEstimate(answer)) {
    if (answer.code === 'ABSTAINED') changes.of(key).abstained++
    else if (!quiet.has(answer.code)) changes.of(key).failed++
    return null
  }
  if (areFallbacks) changes.of(key).fallback++
  if (isComputed) {
    changes.of(key).answered++
    changes.serve(key, answer.probability)
  }
  const bins = isComputed
    ? countFeatures(changes, { tenant, model: model.name, versionId: answerer!, day }, answer)
    : []
  const slices = contents ? slicesOf(sliceColumnsOf(model, contents), bins) : []
  // Slices of what was kept back or failed are not known: their shares are those of the whole alone.
  for (const slice of slices) changes.serve({ ...key, slice }, answer.probability)
  return {
    tenant,
    model: model.name,
    key: keyText(answer.key),
    asOf: answer.asOf.toISOString(),
    servedAt: servedAt.toISOString(),
    versionId: answerer,
    probability: answer.probability,
    threshold,
    source: answer.source,
    bins,
    slices,
    values: model.predictionLog?.values && isComputed ? namedValues(answer) : null,
  }
}

function countFeatures(
  changes: SketchChanges,
  key: { tenant: string; model: string; versionId: string; day: string },
  { version, row, values }: Prediction,
): number[] {
  const { columns, statistics } = version.version.contents
  return columns.map(({ name: feature }, column) => {
    const known = statistics[column]
    if (!known) return MISSING
    const bin = featureBinOf(known, row[column]!, values[column])
    const steps = known.edges.length + 1
    changes.feature({ ...key, feature }, steps, bin === MISSING ? steps : bin === UNKNOWN ? steps + 1 : bin)
    return bin
  })
}

function namedValues({ model, values }: Prediction): object {
  return Object.fromEntries(model.features.map(({ name }, index) => [name, values[index] ?? null]))
}

/** The same prediction is sampled or not wherever it is served, whatever it says: no share of labels is lost to chance twice. */
function isSampled(model: Model, { key, asOf }: Row): boolean {
  const share = model.predictionLog?.share ?? 1
  if (share >= 1) return true
  let hash = 2166136261 // FNV-1a
  for (const character of `${key}@${asOf}`) hash = Math.imul(hash ^ character.charCodeAt(0), 16777619)
  return (hash >>> 0) / 2 ** 32 < share
}

async function insert(client: Queryable, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  await client.query(
    `INSERT INTO inkling."Prediction" (tenant, model, key, "asOf", "servedAt", "versionId", probability, threshold, source, bins, slices, "values")
     SELECT tenant, model, key, "asOf", "servedAt", "versionId", probability, threshold, source, bins, slices, "values"
     FROM jsonb_to_recordset($1::jsonb) AS x (tenant text, model text, key text, "asOf" timestamptz, "servedAt" timestamptz, "versionId" uuid,
       probability float8, threshold float8, source text, bins smallint[], slices text[], "values" jsonb)`,
    [JSON.stringify(rows)],
  )
}
