import type { Database } from '../../platform/database.ts'
import type { Bands, KeyValues } from '../define.ts'
import { type RiskLevel, riskLevels } from '../prediction.ts'
import { keyOfText } from './key.ts'
import type { StoredScore } from './store.ts'

/** A place in the order of stored scores: by probability, then by the key's text. It outlives the row. */
export interface RankingPlace {
  readonly probability: number
  readonly key: string
}

/** Which scores: every bound given must hold. */
export interface ScoreBounds {
  readonly gte?: number | null
  readonly gt?: number | null
  readonly lte?: number | null
  readonly lt?: number | null
}

export interface RankingPage {
  readonly model: string
  /** Whose entities. */
  readonly tenant: string
  /** Fields of the entity's key. */
  readonly fields: readonly string[]
  readonly bounds: readonly ScoreBounds[]
  readonly highestFirst: boolean
  /** Only scores that this order has after, and before, a place. */
  readonly after?: RankingPlace | undefined
  readonly before?: RankingPlace | undefined
  readonly limit: number
}

export type RankedScore = StoredScore & { readonly place: RankingPlace }

/** The bounds of a risk level. Levels are bands of probability, so no index of their own is needed. */
export function boundsOf(level: RiskLevel, bands: Bands): ScoreBounds {
  if (level === 'HIGH') return { gte: bands.HIGH }
  if (level === 'MEDIUM') return { gte: bands.MEDIUM, lt: bands.HIGH }
  return { lt: bands.MEDIUM }
}

const OPERATORS = { gte: '>=', gt: '>', lte: '<=', lt: '<' } as const

/**
 * Scores in the order of their probability, ties by key, after a place. One range of the index (model, tenant, probability, key), whatever
 * the page: both sort columns run the same way, so that "after" is one row comparison.
 */
export async function readRanking(database: Database, page: RankingPage): Promise<RankedScore[]> {
  const { sql, values } = rankingStatement(page)
  const { rows } = await database.query<Omit<StoredScore, 'key'> & { key: string }>(sql, values)
  return rows.map((row) => ({
    ...row,
    key: keyOfText(page.fields, row.key) as KeyValues,
    place: { probability: row.probability, key: row.key },
  }))
}

/** The statement of `readRanking`; its plan is tested. */
export function rankingStatement(page: Omit<RankingPage, 'fields'>): { sql: string; values: unknown[] } {
  const { model, tenant, bounds, highestFirst, after, before, limit } = page
  const values: unknown[] = [model, tenant]
  const parameter = (value: unknown) => `$${values.push(value)}`
  const conditions = ['model = $1', 'tenant = $2', ...conditionsOf(bounds, parameter)]
  const beyond = (place: RankingPlace | undefined, operator: string) => {
    if (!place) return
    const bound = `(${parameter(place.probability)}::float8, ${parameter(place.key)}::text)`
    conditions.push(`(probability, key) ${operator} ${bound}`)
  }
  beyond(after, highestFirst ? '<' : '>')
  beyond(before, highestFirst ? '>' : '<')
  const direction = highestFirst ? 'DESC' : 'ASC'
  const sql = `SELECT key, probability, low, high, "versionId", "versionNumber", "asOf", "scoredAt" FROM inkling."Score"
    WHERE ${conditions.join(' AND ')}
    ORDER BY model ${direction}, tenant ${direction}, probability ${direction}, key ${direction} LIMIT ${parameter(limit)}::int`
  return { sql, values }
}

function conditionsOf(bounds: readonly ScoreBounds[], parameter: (value: unknown) => string): string[] {
  return bounds.flatMap((bound) =>
    Object.entries(OPERATORS).flatMap(([name, operator]) => {
      const value = bound[name as keyof ScoreBounds]
      return value === null || value === undefined ? [] : [`probability ${operator} ${parameter(value)}::float8`]
    }),
  )
}

/** What is counted: a tenant's scores of a model within bounds. */
export type ScoreCounting = Pick<RankingPage, 'model' | 'tenant' | 'bounds'>

/** Buckets of inkling."ScoreCount" per unit of probability. */
const BUCKETS = 1000

/**
 * How many scores there are within bounds. Whole buckets come from the counters; only the part of a bucket that a bound cuts is counted in the
 * index, and a bound of at most three decimals cuts none.
 */
export async function countScores(database: Database, { model, tenant, bounds }: ScoreCounting): Promise<number> {
  const values: unknown[] = [model, tenant]
  const parameter = (value: unknown) => `$${values.push(value)}`
  const inside = conditionsOf(bounds, parameter)
  const cut = [...new Set(bounds.flatMap(cutBuckets))]
  const cuts = `${parameter(cut)}::int[]`
  const whole = bounds.flatMap((bound) => wholeBuckets(bound, parameter))
  const { rows } = await database.query<{ count: string }>(
    `SELECT COALESCE((
         SELECT sum("count") FROM inkling."ScoreCount"
         WHERE model = $1 AND tenant = $2 AND NOT bucket = ANY(${cuts})${whole.map((condition) => ` AND ${condition}`).join('')}
       ), 0) + COALESCE((
         SELECT sum(part.count) FROM unnest(${cuts}) b(bucket) CROSS JOIN LATERAL (
           SELECT count(*) AS count FROM inkling."Score"
           WHERE model = $1 AND tenant = $2 AND probability >= b.bucket / ${BUCKETS}::float8
             AND probability < (b.bucket + 1) / ${BUCKETS}::float8${inside.map((condition) => ` AND ${condition}`).join('')}
         ) part
       ), 0) AS count`,
    values,
  )
  return Number(rows[0]!.count)
}

/** How many scores each risk level has, in one read of the counters where the bands have at most three decimals. */
export async function countLevels(
  database: Database,
  counting: ScoreCounting,
  bands: Bands,
): Promise<{ riskLevel: RiskLevel; count: number }[]> {
  const counts: { riskLevel: RiskLevel; count: number }[] = []
  for (const riskLevel of riskLevels)
    counts.push({
      riskLevel,
      count: await countScores(database, { ...counting, bounds: [...counting.bounds, boundsOf(riskLevel, bands)] }),
    })
  return counts
}

/** Whether a bound lies on the border of two buckets, where counters alone tell. `gt` and `lte` never do: a score may equal them. */
function bucketOf(value: number): { bucket: number; isBorder: boolean } {
  const scaled = value * BUCKETS
  const nearest = Math.round(scaled)
  if (nearest / BUCKETS === value) return { bucket: nearest, isBorder: true }
  return { bucket: nearest / BUCKETS > value ? nearest - 1 : nearest, isBorder: false }
}

function cutBuckets({ gte, gt, lte, lt }: ScoreBounds): number[] {
  const cut: number[] = []
  for (const value of [gte, lt]) {
    if (value === null || value === undefined) continue
    const { bucket, isBorder } = bucketOf(value)
    if (!isBorder) cut.push(bucket)
  }
  for (const value of [gt, lte]) if (value !== null && value !== undefined) cut.push(bucketOf(value).bucket)
  return cut
}

/** Conditions on buckets that lie wholly within a bound; cut ones are left out beforehand. */
function wholeBuckets({ gte, gt, lte, lt }: ScoreBounds, parameter: (value: unknown) => string): string[] {
  const conditions: string[] = []
  for (const value of [gte, gt])
    if (value !== null && value !== undefined) conditions.push(`bucket >= ${parameter(bucketOf(value).bucket)}::int`)
  for (const value of [lte, lt])
    if (value !== null && value !== undefined) conditions.push(`bucket < ${parameter(bucketOf(value).bucket)}::int`)
  return conditions
}
