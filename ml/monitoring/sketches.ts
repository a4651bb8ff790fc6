import type { Queryable } from '../../platform/database.ts'
import { binOf, PROBABILITY_BINS } from './bins.ts'

/** Whose day a sketch is about. slice: empty for all, else "feature=level". */
export interface SketchKey {
  readonly tenant: string
  readonly model: string
  /** Empty for what no version answered. */
  readonly versionId: string
  readonly threshold: number
  /** 2026-03-01, of the moment looked from, in UTC. */
  readonly day: string
  readonly slice: string
}

/** Counts of one day by bin of probability. Any number of rows takes the same space. */
export interface Sketch extends SketchKey {
  readonly served: number[]
  readonly servedSum: number[]
  readonly labelled: number[]
  readonly labelledSum: number[]
  readonly positives: number[]
  logLoss: number
  brier: number
  answered: number
  abstained: number
  failed: number
  fallback: number
}

/** Counts of one day of a feature: by training bin, then missing, then unknown. */
export interface FeatureSketch {
  readonly tenant: string
  readonly model: string
  readonly versionId: string
  readonly day: string
  readonly feature: string
  readonly counts: number[]
}

export const dayOf = (moment: Date) => moment.toISOString().slice(0, 10)

/** What is added to stored sketches in one write. */
export interface SketchChanges {
  of(key: SketchKey): Sketch
  /** by: 1 for a label that becomes known, -1 for one that is taken back. */
  label(key: SketchKey, probability: number, label: number, by: 1 | -1): void
  /** bins: of the statistics; its counts have two more, for missing and unknown. */
  featureOf(key: Omit<FeatureSketch, 'counts'>, bins: number): FeatureSketch
  write(client: Queryable): Promise<void>
}

export function emptySketch(key: SketchKey): Sketch {
  const bins = () => new Array<number>(PROBABILITY_BINS).fill(0)
  return {
    ...key,
    served: bins(),
    servedSum: bins(),
    labelled: bins(),
    labelledSum: bins(),
    positives: bins(),
    logLoss: 0,
    brier: 0,
    answered: 0,
    abstained: 0,
    failed: 0,
    fallback: 0,
  }
}

export function addServed({ served, servedSum, threshold }: Sketch, probability: number): void {
  const bin = binOf(probability, threshold)
  served[bin]! += 1
  servedSum[bin]! += probability
}

export function createSketchChanges(): SketchChanges {
  const sketches = new Map<string, Sketch>()
  const features = new Map<string, FeatureSketch>()

  function of(key: SketchKey): Sketch {
    const id = textOf(key)
    let sketch = sketches.get(id)
    if (!sketch) {
      sketch = emptySketch(key)
      sketches.set(id, sketch)
    }
    return sketch
  }
  return {
    of,
    label(key, probability, label, by) {
      const sketch = of(key)
      const bin = binOf(probability, key.threshold)
      const likelihood = label > 0 ? probability : 1 - probability
      sketch.labelled[bin]! += by
      sketch.labelledSum[bin]! += by * probability
      sketch.positives[bin]! += by * label
      sketch.logLoss -= by * Math.log(Math.min(1 - SMALLEST, Math.max(SMALLEST, likelihood)))
      sketch.brier += by * (probability - label) ** 2
    },
    featureOf(key, bins) {
      const id = [key.tenant, key.model, key.versionId, key.day, key.feature].join('\u0001')
      let sketch = features.get(id)
      if (!sketch) {
        sketch = { ...key, counts: new Array<number>(bins + 2).fill(0) }
        features.set(id, sketch)
      }
      return sketch
    },
    async write(client) {
      await writeSketches(client, sorted(sketches))
      await writeFeatures(client, sorted(features))
    },
  }
}

/** As the trainer clips: a confident mistake costs 36 instead of infinity. */
const SMALLEST = 2 ** -52

function textOf({ tenant, model, versionId, threshold, day, slice }: SketchKey): string {
  return [tenant, model, versionId, threshold, day, slice].join('\u0001')
}

/** Two writers that take rows in the same order never wait for each other in a circle. */
function sorted<T>(sketches: ReadonlyMap<string, T>): T[] {
  return [...sketches].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sketch]) => sketch)
}

const ARRAYS = ['served', 'servedSum', 'labelled', 'labelledSum', 'positives'] as const
const SUMS = ['logLoss', 'brier', 'answered', 'abstained', 'failed', 'fallback'] as const

async function writeSketches(client: Queryable, sketches: readonly Sketch[]): Promise<void> {
  if (sketches.length === 0) return
  const added = [
    ...ARRAYS.map((name) => `"${name}" = inkling.add_arrays(s."${name}", EXCLUDED."${name}")`),
    ...SUMS.map((name) => `"${name}" = s."${name}" + EXCLUDED."${name}"`),
  ]
  const columns = [...ARRAYS, ...SUMS].map((name) => `"${name}"`).join(', ')
  await client.query(
    `INSERT INTO inkling."PredictionSketch" AS s (tenant, model, "versionId", threshold, day, slice, ${columns})
     SELECT tenant, model, "versionId", threshold, day, slice, ${columns}
     FROM jsonb_to_recordset($1::jsonb) AS x (tenant text, model text, "versionId" text, threshold float8, day date, slice text,
       ${ARRAYS.map((name) => `"${name}" float8[]`).join(', ')}, "logLoss" float8, brier float8,
       answered bigint, abstained bigint, failed bigint, fallback bigint)
     ON CONFLICT (tenant, model, "versionId", threshold, day, slice) DO UPDATE SET ${added.join(', ')}`,
    [JSON.stringify(sketches)],
  )
}

async function writeFeatures(client: Queryable, sketches: readonly FeatureSketch[]): Promise<void> {
  if (sketches.length === 0) return
  await client.query(
    `INSERT INTO inkling."FeatureSketch" AS s (tenant, model, "versionId", day, feature, counts)
     SELECT tenant, model, "versionId", day, feature, counts
     FROM jsonb_to_recordset($1::jsonb) AS x (tenant text, model text, "versionId" text, day date, feature text, counts float8[])
     ON CONFLICT (tenant, model, "versionId", day, feature) DO UPDATE SET counts = inkling.add_arrays(s.counts, EXCLUDED.counts)`,
    [JSON.stringify(sketches)],
  )
}

export interface SketchRange {
  readonly tenant: string
  readonly model: string
  /** Days, both included. */
  readonly from: string
  readonly to: string
  readonly versionId?: string | undefined
}

/** Days in their order; the sketches of one day in no particular one. */
export async function readSketches(client: Queryable, range: SketchRange, slices: boolean): Promise<Sketch[]> {
  const { rows } = await client.query<Sketch>(
    `SELECT tenant, model, "versionId", threshold, to_char(day, 'YYYY-MM-DD') AS day, slice, ${ARRAYS.map((name) => `"${name}"`).join(', ')},
       "logLoss", brier, answered::float8 AS answered, abstained::float8 AS abstained, failed::float8 AS failed, fallback::float8 AS fallback
     FROM inkling."PredictionSketch"
     WHERE tenant = $1 AND model = $2 AND day BETWEEN $3::date AND $4::date AND ($5::text IS NULL OR "versionId" = $5)
       AND ($6 OR slice = '') ORDER BY day`,
    [range.tenant, range.model, range.from, range.to, range.versionId ?? null, slices],
  )
  return rows
}

/** The features of one version over some days, added up by the database. */
export async function readFeatures(client: Queryable, range: SketchRange): Promise<Map<string, number[]>> {
  const { rows } = await client.query<{ feature: string; counts: number[] }>(
    `SELECT feature, array_agg(total ORDER BY place) AS counts FROM (
       SELECT s.feature, u.place, sum(u.n) AS total FROM inkling."FeatureSketch" s, unnest(s.counts) WITH ORDINALITY AS u(n, place)
       WHERE s.tenant = $1 AND s.model = $2 AND s.day BETWEEN $3::date AND $4::date AND s."versionId" = $5 GROUP BY s.feature, u.place
     ) added GROUP BY feature`,
    [range.tenant, range.model, range.from, range.to, range.versionId ?? ''],
  )
  return new Map(rows.map(({ feature, counts }) => [feature, counts]))
}
