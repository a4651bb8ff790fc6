/** How a column travels: times as milliseconds since 1970, which is quicker than text and knows no time zone. */
type Kind = 'text' | 'integer' | 'number' | 'boolean' | 'time' | `enum ${string}`

interface Table {
  readonly columns: Readonly<Record<string, Kind>>
  readonly key: readonly string[]
  /** Whether its rows name the tenant that they, and all that hangs on them, belong to. */
  readonly isRoot?: boolean
}

/** The tables of the learning domain in an order that satisfies every foreign key. */
export const tables = {
  Learner: {
    isRoot: true,
    key: ['id'],
    columns: { id: 'text', name: 'text', gender: 'text', country: 'text', region: 'text', joinedAt: 'time' },
  },
  Course: { isRoot: true, key: ['id'], columns: { id: 'text', code: 'text', title: 'text' } },
  Presentation: {
    key: ['id'],
    columns: { id: 'text', courseId: 'text', code: 'text', startsAt: 'time', endsAt: 'time' },
  },
  Objective: {
    key: ['id'],
    columns: {
      id: 'text',
      presentationId: 'text',
      title: 'text',
      type: 'enum ObjectiveType',
      contentType: 'enum ContentType',
      complexity: 'enum Complexity',
      weight: 'number',
      position: 'integer',
      dueAt: 'time',
      expectedMinutes: 'integer',
    },
  },
  Prerequisite: { key: ['objectiveId', 'requiresId'], columns: { objectiveId: 'text', requiresId: 'text' } },
  Exam: { key: ['id'], columns: { id: 'text', presentationId: 'text', title: 'text', heldAt: 'time' } },
  Enrollment: {
    key: ['id'],
    columns: {
      id: 'text',
      learnerId: 'text',
      presentationId: 'text',
      registeredAt: 'time',
      withdrawnAt: 'time',
      finalResult: 'text',
      education: 'text',
      ageBand: 'text',
      deprivationBand: 'text',
      hasDisability: 'boolean',
      previousAttempts: 'integer',
      studiedCredits: 'integer',
      clicksBeforeStart: 'integer',
    },
  },
  Attempt: {
    key: ['id'],
    columns: {
      id: 'text',
      learnerId: 'text',
      objectiveId: 'text',
      enrollmentId: 'text',
      submittedAt: 'time',
      score: 'number',
      durationMinutes: 'number',
      isBanked: 'boolean',
    },
  },
  Review: {
    key: ['id'],
    columns: { id: 'text', learnerId: 'text', objectiveId: 'text', reviewedAt: 'time', rating: 'integer' },
  },
  Activity: {
    key: ['learnerId', 'presentationId', 'day', 'kind'],
    columns: {
      learnerId: 'text',
      presentationId: 'text',
      day: 'time',
      kind: 'enum ActivityKind',
      clicks: 'integer',
    },
  },
  StudySession: {
    key: ['id'],
    columns: {
      id: 'text',
      learnerId: 'text',
      startedAt: 'time',
      minutes: 'number',
      contentType: 'enum ContentType',
      performance: 'number',
    },
  },
  Subscription: {
    key: ['id'],
    columns: {
      id: 'text',
      learnerId: 'text',
      plan: 'enum Plan',
      priceUsd: 'number',
      startsAt: 'time',
      endsAt: 'time',
    },
  },
  Payment: {
    key: ['id'],
    columns: { id: 'text', learnerId: 'text', subscriptionId: 'text', amount: 'number', paidAt: 'time' },
  },
  Cancellation: { key: ['id'], columns: { id: 'text', learnerId: 'text', at: 'time', reason: 'text' } },
} as const satisfies Record<string, Table>

/** Whether a table's rows name their tenant. */
export function isRoot(name: TableName): boolean {
  return (tables[name] as Table).isRoot ?? false
}

export type TableName = keyof typeof tables
export const tableNames = Object.keys(tables) as TableName[]

type Value<K> = K extends 'integer' | 'number' | 'time' ? number : K extends 'boolean' ? boolean : string

/** One row; a column that is unknown is null, never left out. */
export type Row<T extends TableName> = {
  readonly [C in keyof (typeof tables)[T]['columns']]: Value<(typeof tables)[T]['columns'][C]> | null
}

const sent: Record<string, string> = {
  text: 'text',
  integer: 'int4',
  number: 'float8',
  boolean: 'bool',
  time: 'float8',
}
const quoted = (name: string) => `"${name}"`

function received(column: string, kind: Kind): string {
  if (kind === 'time') return `to_timestamp(${quoted(column)} / 1000.0)`
  if (kind.startsWith('enum ')) return `${quoted(column)}::"learning".${quoted(kind.slice(5))}`
  return quoted(column)
}

/**
 * One statement that writes any number of rows, given one array per column (and then, for a root, the tenant), and answers how many
 * it inserted and updated. A row that is already there is left alone when equal, so that writing the same rows twice touches nothing.
 */
export function writeStatement(name: TableName): string {
  const { columns, key, isRoot } = tables[name] as Table
  const names = Object.keys(columns)
  const others = names.filter((column) => !key.includes(column))
  const list = (given: readonly string[], prefix = '') => given.map((column) => prefix + quoted(column)).join(', ')
  const arrays = Object.values(columns).map((kind, at) => `$${at + 1}::${sent[kind] ?? 'text'}[]`)
  const resolution =
    others.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${others.map((column) => `${quoted(column)} = EXCLUDED.${quoted(column)}`).join(', ')}
         WHERE (${list(others, 'kept.')}) IS DISTINCT FROM (${list(others, 'EXCLUDED.')})${isRoot ? ' AND kept."tenant" = EXCLUDED."tenant"' : ''}`
  // xmax is 0 on a row that no statement has replaced yet, that is, on a new one.
  return `WITH written AS (
    INSERT INTO "learning".${quoted(name)} AS kept (${list(names)}${isRoot ? ', "tenant"' : ''})
    SELECT ${names.map((column) => received(column, columns[column]!)).join(', ')}${isRoot ? `, $${names.length + 1}::text` : ''}
    FROM unnest(${arrays.join(', ')}) AS given(${list(names)})
    ON CONFLICT (${list(key)}) DO ${resolution}
    RETURNING (xmax = 0) AS "isNew")
  SELECT count(*) FILTER (WHERE "isNew")::int AS "inserted", count(*) FILTER (WHERE NOT "isNew")::int AS "updated"
  FROM written`
}
