import DataLoader from 'dataloader'
import type { LearningClient } from '../../../platform/clients.ts'
import { InklingError } from '../../../platform/errors.ts'
import type { RequestContext } from '../../../platform/request.ts'
import type PrismaTypes from '../../../prisma/learning/generated/pothos.ts'
import { type Ask, countStatement, type Page, pageStatement, type Row, toPage } from './page.ts'
import { type ProgressKey, type ProgressRow, progressStatement } from './progress.ts'
import type { Relation } from './relation.ts'

/** Models that are found by `id`. */
export type Keyed = 'Learner' | 'Course' | 'Presentation' | 'Objective' | 'Enrollment' | 'Subscription'

export type RowOf<Name extends keyof PrismaTypes> = PrismaTypes[Name]['Shape']

/** A list below a parent: the column of the relation that holds the parent's key, and that key. */
export interface Below {
  readonly column: string
  readonly key: string
}

/**
 * The one door to the rows of the learning domain, made per request: whatever a resolver wants to read it asks here, and what
 * is asked in one tick becomes one statement. Whose rows are seen is decided here and nowhere else: those of the viewer's tenant.
 */
export interface Reads {
  find<Name extends Keyed>(model: Name, id: string): Promise<RowOf<Name> | null>
  /** The row that another one refers to. Throws NOT_FOUND when it was deleted since that one was read. */
  follow<Name extends Keyed>(model: Name, id: string): Promise<RowOf<Name>>
  findProgress(key: ProgressKey): Promise<ProgressRow | null>
  /** A page of a list, alone or below a row. The ask has passed `checkAsk`. */
  page(relation: Relation, ask: Ask, below: Below | null): Promise<Page>
  count(relation: Relation, where: Ask['where'], below: Below | null): Promise<number>
  /** After a write: what was read before may have changed. */
  forget(): void
}

type Loader<Value> = DataLoader<string, Value>

export function createReads(prisma: LearningClient, { now, viewer: { tenant } }: RequestContext): Reads {
  const loaders = new Map<string, Loader<never>>()
  const run = (statement: { sql: string; values: readonly unknown[] }) =>
    prisma.$queryRawUnsafe<Row[]>(statement.sql, ...statement.values)

  function loader<Value>(name: string, load: (keys: readonly string[]) => Promise<(key: string) => Value>) {
    const known = loaders.get(name)
    if (known) return known as Loader<Value>
    const made = new DataLoader<string, Value>(async (keys) => keys.map(await load(keys)))
    loaders.set(name, made as Loader<never>)
    return made
  }

  function find<Name extends Keyed>(model: Name, id: string) {
    return loader(model, async (ids) => {
      const byId = new Map((await findMany(prisma, model, ids, tenant)).map((row) => [row.id, row as RowOf<Name>]))
      return (wanted) => byId.get(wanted) ?? null
    }).load(id)
  }

  return {
    find,
    async follow(model, id) {
      const row = await find(model, id)
      if (row) return row
      throw new InklingError('NOT_FOUND', `${model} "${id}" was deleted a moment ago.`, 'Ask again.')
    },
    findProgress(key) {
      return loader('Progress', async (texts) => {
        const rows = (await run(progressStatement(texts.map(readPair), now, tenant))) as unknown as ProgressRow[]
        const byKey = new Map(rows.map((row) => [writePair(row), row]))
        return (wanted) => byKey.get(wanted) ?? null
      }).load(writePair(key))
    },
    async page(relation, ask, below) {
      if (!below) return toPage(relation, ask, await run(pageStatement(relation, ask, now, { tenant })))
      const { column } = below
      return loader(`${column}>${relation.name} ${JSON.stringify(pageKey(ask))}`, async (keys) => {
        const rows = group(await run(pageStatement(relation, ask, now, { column, keys })))
        return (key) => toPage(relation, ask, rows.get(key) ?? [])
      }).load(below.key)
    },
    async count(relation, where, below) {
      if (!below) return Number((await run(countStatement(relation, where, now, { tenant })))[0]?.count ?? 0)
      const { column } = below
      return loader(`${column}>${relation.name} count ${JSON.stringify(where)}`, async (keys) => {
        const counts = new Map(
          (await run(countStatement(relation, where, now, { column, keys }))).map((row) => [row['@parent'], row.count]),
        )
        return (key) => Number(counts.get(key) ?? 0)
      }).load(below.key)
    },
    forget() {
      loaders.clear()
    },
  }
}

/** A row of another tenant is one that is not there: the same statement finds neither. */
function findMany(
  prisma: LearningClient,
  model: Keyed,
  ids: readonly string[],
  tenant: string,
): Promise<{ id: string }[]> {
  const id = { in: [...ids] }
  switch (model) {
    case 'Learner':
      return prisma.learner.findMany({ where: { id, tenant } })
    case 'Course':
      return prisma.course.findMany({ where: { id, tenant } })
    case 'Presentation':
      return prisma.presentation.findMany({ where: { id, course: { tenant } } })
    case 'Objective':
      return prisma.objective.findMany({ where: { id, presentation: { course: { tenant } } } })
    case 'Enrollment':
      return prisma.enrollment.findMany({ where: { id, learner: { tenant } } })
    case 'Subscription':
      return prisma.subscription.findMany({ where: { id, learner: { tenant } } })
  }
}

function pageKey({ first, last, after, before, orderBy, where }: Ask) {
  return [first, last, after, before, orderBy, where]
}

function group(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const parent = row['@parent'] as string
    const known = groups.get(parent)
    if (known) known.push(row)
    else groups.set(parent, [row])
  }
  return groups
}

function writePair({ learnerId, objectiveId }: ProgressKey): string {
  return JSON.stringify([learnerId, objectiveId])
}

function readPair(text: string): ProgressKey {
  const [learnerId, objectiveId] = JSON.parse(text) as [string, string]
  return { learnerId, objectiveId }
}
