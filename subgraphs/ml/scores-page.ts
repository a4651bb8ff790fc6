import { GraphQLError } from 'graphql'
import type { Model } from '../../ml/define.ts'
import { MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
import type { RiskLevel } from '../../ml/prediction.ts'
import {
  boundsOf,
  countScores,
  type RankedScore,
  type RankingPlace,
  readRanking,
  type ScoreBounds,
  type ScoreCounting,
} from '../../ml/scores/ranking.ts'
import { refreshScores } from '../../ml/scores/refresh.ts'
import { scoredTenant } from '../../ml/tenants.ts'
import { checkPage, DEFAULT_PAGE, type PageArguments } from '../../schema/pagination.ts'
import type { MlContext } from './subgraph.ts'

export interface ScoreArguments extends PageArguments {
  readonly where?: { readonly probability?: ScoreBounds | null; readonly riskLevel?: RiskLevel | null } | null
  readonly orderBy: 'HIGHEST_FIRST' | 'LOWEST_FIRST'
  readonly rescoreIfOlderThanSeconds?: number | null
}

export interface ScoreEdge {
  readonly cursor: string
  readonly node: object
  readonly score: RankedScore
  readonly page: ScorePage
}

/** A page of a model's stored scores; what is not selected is not read. */
export interface ScorePage {
  readonly model: Model
  readonly counting: ScoreCounting
  readonly edges: readonly ScoreEdge[]
  readonly pageInfo: object
  /** The versions of the page's scores, read once. */
  versions(): Promise<ReadonlyMap<string, ModelVersion>>
}

/** Reads one page: one statement, and a read, an inference and a write where scores are too old. Throws BAD_USER_INPUT. */
export async function readScorePage(model: Model, args: ScoreArguments, context: MlContext): Promise<ScorePage> {
  checkPage(args, context.viewer)
  const { database } = context.engines
  const bounds = whereOf(model, args)
  const isBackward = args.last != null
  const size = args.first ?? args.last ?? DEFAULT_PAGE
  const highestFirst = args.orderBy === 'HIGHEST_FIRST'
  const ends = { after: placeOf(args.after, args.orderBy), before: placeOf(args.before, args.orderBy) }
  const tenant = scoredTenant(model, context.viewer.tenant)
  const ask = { model: model.name, tenant, fields: model.key, bounds, highestFirst }
  const found = await readRanking(database, {
    ...ask,
    ...(isBackward ? { highestFirst: !highestFirst, after: ends.before, before: ends.after } : ends),
    limit: size + 1,
  })
  const hasMore = found.length > size
  const ranked = found.slice(0, size)
  if (isBackward) ranked.reverse()
  const scores = await refresh(model, ranked, args, context)

  /** Whether there is a score on the other side of a place; asked only where it is selected. */
  const isBeyond = async (end: RankingPlace | undefined, direction: 'after' | 'before') => {
    if (!end) return false
    const forward = direction === 'after'
    const [one] = await readRanking(database, {
      ...ask,
      highestFirst: forward ? highestFirst : !highestFirst,
      after: end,
      limit: 1,
    })
    return one !== undefined
  }
  const first = ranked[0]?.place ?? ends.after
  const last = ranked.at(-1)?.place ?? ends.before
  let versions: Promise<ReadonlyMap<string, ModelVersion>> | null = null
  const page: ScorePage = {
    model,
    counting: { model: model.name, tenant, bounds },
    edges: scores.flatMap((score, index) =>
      score
        ? [
            {
              cursor: cursorOf(ranked[index]!.place, args.orderBy),
              node: score.key,
              score,
              get page() {
                return page
              },
            },
          ]
        : [],
    ),
    pageInfo: {
      startCursor: ranked[0] ? cursorOf(ranked[0].place, args.orderBy) : null,
      endCursor: ranked.length > 0 ? cursorOf(ranked.at(-1)!.place, args.orderBy) : null,
      get hasNextPage() {
        return isBackward ? isBeyond(last, 'after') : hasMore
      },
      get hasPreviousPage() {
        return isBackward ? hasMore : isBeyond(first, 'before')
      },
    },
    versions() {
      versions ??= readVersions(context, scores)
      return versions
    },
  }
  return page
}

export function countPage({ counting }: ScorePage, context: MlContext): Promise<number> {
  return countScores(context.engines.database, counting)
}

function whereOf(model: Model, { where }: ScoreArguments): ScoreBounds[] {
  const bounds: ScoreBounds[] = []
  if (where?.probability) bounds.push(where.probability)
  if (where?.riskLevel) bounds.push(boundsOf(where.riskLevel, model.bands))
  return bounds
}

/** The order stays that of the scores as they were stored, and so do the cursors: going on from one skips and repeats nobody. */
async function refresh(
  model: Model,
  ranked: readonly RankedScore[],
  { rescoreIfOlderThanSeconds: seconds }: ScoreArguments,
  context: MlContext,
): Promise<(RankedScore | null)[]> {
  if (seconds === null || seconds === undefined) return [...ranked]
  if (seconds < 0) throw refused('rescoreIfOlderThanSeconds must not be negative.')
  const { database, client, serving } = context.engines
  const served = serving.championAt(model, context.instant)
  const before = new Date(context.instant.getTime() - seconds * 1000)
  const tenant = scoredTenant(model, context.viewer.tenant)
  return refreshScores(ranked, { database, client, model, tenant, served, asOf: context.now, before })
}

async function readVersions({ engines }: MlContext, scores: readonly (RankedScore | null)[]) {
  const ids = [...new Set(scores.flatMap((score) => (score ? [score.versionId] : [])))]
  const versions = await engines.registry.versions<ModelContents>(MODEL_KIND, ids)
  return new Map(versions.flatMap((version) => (version ? [[version.id, version]] : [])))
}

function cursorOf({ probability, key }: RankingPlace, order: string): string {
  return Buffer.from(JSON.stringify([order, probability, key])).toString('base64url')
}

function placeOf(cursor: string | null | undefined, order: string): RankingPlace | undefined {
  if (cursor === null || cursor === undefined) return undefined
  const [madeFor, probability, key] = parse(cursor)
  const isText = typeof key === 'string' && !key.includes('\0') && key.isWellFormed()
  if (madeFor !== order || typeof probability !== 'number' || !isText) throw foreign()
  return { probability, key }
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parsed)) return parsed
  } catch {
    // Not JSON: said below.
  }
  throw foreign()
}

function foreign(): GraphQLError {
  return refused(
    'This cursor does not belong to this list and order.',
    'Pass a cursor that the same field gave out under the same orderBy.',
  )
}

function refused(message: string, hint = 'Correct the argument.'): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', hint } })
}
