import { compileCondition, compileLabel, windowOf } from './conditions.ts'
import { type Datamodel, isMoment, type ModelShape, tableOf } from './datamodel.ts'
import { type EntityKey, pairsFrom, pairValues } from './keys.ts'
import type { CandidateOptions, KeyValues, LabelOptions, LabelRow, Pair, SqlClient } from './model.ts'
import type { Owner } from './owner.ts'
import { query } from './query.ts'
import { type Condition, hoursOf, type LabelDefinition, type Snapshots } from './reading.ts'
import { intervalOf } from './rows.ts'
import { type Spot, spotOf } from './spot.ts'
import { createStatement, type Statement } from './statement.ts'

type Row = Readonly<Record<string, unknown>>

interface Question {
  readonly model: string
  readonly datamodel: Datamodel
  readonly root: ModelShape
  readonly key: EntityKey
  readonly eligible: Condition | undefined
  readonly label: LabelDefinition
  readonly snapshots: Snapshots
  /** A path to the column that groups rows. */
  readonly group: string | undefined
  readonly owner: Owner | undefined
}

export interface SnapshotLabels {
  labels(client: SqlClient, options: LabelOptions): AsyncIterable<readonly LabelRow[]>
  candidates(client: SqlClient, options: CandidateOptions): Promise<KeyValues[]>
  /** The label of each pair, whatever the grid; null for whom the question is not about. */
  labelsAt(client: SqlClient, pairs: readonly Pair[]): Promise<(0 | 1 | null)[]>
}

/**
 * Labels from the moments of a grid that starts at the epoch, so that every run looks from the same moments: eligible
 * entities in the order of their keys, a page at a time. Throws FEATURE_INVALID.
 */
export function createSnapshots(question: Question): SnapshotLabels {
  const { model, key, snapshots, label } = question
  const spot = spotOf(model, 'snapshots')
  intervalOf(spot, snapshots.every, 'every')
  const every = hoursOf(snapshots.every) * 3_600_000
  const firstPage = compilePage(question, { labelled: true, after: false })
  const next = compilePage(question, { labelled: true, after: true })
  const firstKeys = compilePage(question, { labelled: false, after: false })
  const nextKeys = compilePage(question, { labelled: false, after: true })
  const firstOwn = question.owner && compilePage(question, { labelled: false, after: false, owner: question.owner })
  const nextOwn = question.owner && compilePage(question, { labelled: false, after: true, owner: question.owner })
  const ofPairs = compileLabels(question)
  const earliest = compileEarliest(question, spot)

  async function readPage(
    client: SqlClient,
    page: typeof firstPage,
    asOf: Date,
    limit: number,
    after: KeyValues | undefined,
    tenant: readonly string[] = [],
  ) {
    const bounds = after ? key.encode(after) : []
    return query<Row[]>(client, model, page.sql, [asOf.toISOString(), limit, ...bounds, ...tenant, ...page.values])
  }
  return {
    async *labels(client, { now, from, pageSize, signal }) {
      const first = await earliest(client)
      if (first === null) return
      const start = Math.max(first, from?.getTime() ?? first)
      const last = now.getTime() - windowOf(label)
      for (let moment = Math.ceil(start / every) * every; moment <= last; moment += every) {
        const asOf = new Date(moment)
        let after: KeyValues | undefined
        do {
          signal?.throwIfAborted()
          const rows = await readPage(client, after ? next : firstPage, asOf, pageSize, after)
          if (rows.length > 0)
            yield rows.map((row) => ({
              key: key.decode(row),
              asOf,
              label: Number(row.label),
              ...(row.group === undefined || row.group === null ? {} : { group: String(row.group) }),
            }))
          after = rows.length < pageSize ? undefined : key.decode(rows.at(-1)!)
        } while (after)
      }
    },
    async candidates(client, { asOf, after, limit, tenant }) {
      const own = after ? nextOwn : firstOwn
      const rows =
        own && tenant !== undefined
          ? await readPage(client, own, asOf, limit, after, [tenant])
          : await readPage(client, after ? nextKeys : firstKeys, asOf, limit, after)
      return rows.map(key.decode)
    },
    async labelsAt(client, pairs) {
      if (pairs.length === 0) return []
      const rows = await query<Row[]>(client, model, ofPairs.sql, [...pairValues(key, pairs), ...ofPairs.values])
      return rows.map(({ eligible, label: said }) => (eligible === true ? (Number(said) > 0 ? 1 : 0) : null))
    },
  }
}

/** The label of pairs, in their order. */
function compileLabels({ model, datamodel, root, key, eligible, label }: Question) {
  const statement = createStatement(datamodel, root, key.fields.length + 1)
  const said = compileLabel(statement, spotOf(model, 'label'), label)
  const isThere = `${key.columns[0]} IS NOT NULL`
  const asked = eligible ? ` AND ${compileCondition(statement, spotOf(model, 'eligible'), eligible)}` : ''
  const on = key.columns.map((column, index) => `${column} = p.k${index}`).join(' AND ')
  const sql = [
    `SELECT (${isThere}${asked}) AS "eligible", ${said} AS "label"`,
    `FROM ${pairsFrom(key)}`,
    `LEFT JOIN ${tableOf(root)} e ON ${on}`,
    statement.joins(),
    'ORDER BY p.place',
  ]
    .filter((line) => line !== '')
    .join('\n')
  return { sql, values: statement.values }
}

/** One page of eligible entities at the moment $1, at most $2 of them, after the key in $3 ..., of the tenant in the next parameter. */
function compilePage(
  question: Question,
  { labelled, after, owner }: { labelled: boolean; after: boolean; owner?: Owner },
) {
  const { model, datamodel, root, key, eligible, label, snapshots, group } = question
  const slots = 2 + (after ? key.fields.length : 0)
  const statement = createStatement(datamodel, root, slots + (owner ? 1 : 0))
  const columns = key.columns.map((column, index) => `${column} AS k${index}`)
  if (labelled) columns.push(`${compileLabel(statement, spotOf(model, 'label'), label)} AS "label"`)
  if (labelled && group !== undefined) columns.push(`${groupOf(statement, spotOf(model, 'group'), group)} AS "group"`)
  const conditions = eligible ? [compileCondition(statement, spotOf(model, 'eligible'), eligible)] : []
  if (labelled && typeof snapshots.from === 'string') {
    const from = dateOf(statement, spotOf(model, 'snapshots'), snapshots.from)
    if (from.list) throw spotOf(model, 'snapshots').fault(`"${snapshots.from}" is a list`, 'Give a date of the entity.')
    conditions.push(`${from.sql} <= ${statement.momentFor(from.column)}`)
  }
  if (owner) conditions.push(owner.isOf(`$${slots + 1}::text`))
  if (after)
    conditions.push(
      `(${key.columns.join(', ')}) > (${key.types.map((type, index) => `$${index + 3}::${type}`).join(', ')})`,
    )
  const sql = [
    `SELECT ${columns.join(', ')}`,
    `FROM ${tableOf(root)} e`,
    `CROSS JOIN (SELECT $1::timestamptz AS "at", $1::timestamptz AT TIME ZONE 'UTC' AS "atUtc") p`,
    statement.joins(),
    conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '',
    `ORDER BY ${key.columns.join(', ')} LIMIT $2::int`,
  ]
    .filter((line) => line !== '')
    .join('\n')
  return { sql, values: statement.values }
}

/** The moment before which there is nothing to look at, in milliseconds; null when there is nothing at all. */
function compileEarliest({ model, datamodel, root, eligible, snapshots }: Question, spot: Spot) {
  const { from } = snapshots
  if (from instanceof Date) {
    if (Number.isNaN(from.getTime()))
      throw spot.fault('`from` is no date', 'Give a valid Date or a path to a date column.')
    return async () => from.getTime()
  }
  const path = from ?? startOf(eligible)
  if (path === undefined)
    throw spot.fault(
      'nothing says where the moments start',
      'Give `from`: a Date or a path to a date column; or say in `eligible` with f.holds from when an entity counts.',
    )
  const statement = createStatement(datamodel, root, 0)
  const start = dateOf(statement, spot, path)
  const list = start.list
  const sql = list
    ? `SELECT min(${start.sql}) AS "start" ${list}`
    : `SELECT min(${start.sql}) AS "start" FROM ${tableOf(root)} e\n${statement.joins()}`
  return async (client: SqlClient) => {
    const [row] = await query<{ start: Date | null }[]>(client, model, sql, [])
    return row?.start ? new Date(row.start).getTime() : null
  }
}

/** The start of the first period that `eligible` asks for. */
function startOf(condition: Condition | undefined): string | undefined {
  if (!condition) return undefined
  if (condition.form === 'holds' && condition.scope.validFrom !== undefined)
    return condition.path === '' ? condition.scope.validFrom : `${condition.path}.${condition.scope.validFrom}`
  if (condition.form !== 'all') return undefined
  return condition.of.map(startOf).find((path) => path !== undefined)
}

function dateOf(statement: Statement, spot: Spot, path: string) {
  const end = statement.follow(spot, path)
  const column = end.form === 'one' ? undefined : end.column
  if (!column || !isMoment(column)) throw spot.fault(`"${path}" is no date column`, 'Give a path to a date column.')
  if (end.form === 'column') return { sql: end.sql, column, list: null }
  const { list } = end as Extract<typeof end, { form: 'list' }>
  const name = path.slice(path.lastIndexOf('.') + 1)
  return { sql: statement.columnOf(spot, list.shape, 't', name).sql, column, list: list.from }
}

function groupOf(statement: Statement, spot: Spot, path: string): string {
  const end = statement.follow(spot, path)
  if (end.form !== 'column') throw spot.fault(`"${path}" is no plain column`, 'Name a column such as "learnerId".')
  return `${end.sql}::text`
}
