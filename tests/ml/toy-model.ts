import type { FeatureValue, LabelRow, Model, Pair, SqlClient } from '../../ml/define.ts'
import type { Database } from '../../platform/database.ts'

/** A client over the test's database, counting what it is asked. */
export function countingClient(database: Database): SqlClient & { statements: number } {
  return {
    statements: 0,
    async $queryRawUnsafe<T>(sql: string, ...values: unknown[]) {
      this.statements++
      return (await database.query(sql, values)).rows as T
    },
  }
}

/** Rows whose label follows x and colour, with noise; every tenth colour and every seventh x is missing. */
export async function fillToys(database: Database, rows: number, label = 'noisy'): Promise<void> {
  await database.query(
    'CREATE TABLE IF NOT EXISTS toy (id int PRIMARY KEY, x float8, colour text, y int, at timestamptz)',
  )
  await database.query('TRUNCATE toy')
  await database.query(
    `INSERT INTO toy
     SELECT i, CASE WHEN i % 7 > 0 THEN x END, CASE WHEN i % 10 > 0 THEN colour END,
            CASE $2 WHEN 'one class' THEN 0
                    ELSE (x + CASE colour WHEN 'red' THEN 1.5 ELSE 0 END + 2 * noise > 1.2)::int END,
            timestamptz '2026-01-01' + i * interval '1 minute'
     FROM (SELECT i, sin(i * 12.9898)::float8 * 2 AS x, (ARRAY['red', 'green', 'blue'])[1 + i % 3] AS colour,
                  (sin(i * 78.233) * 43758.5453 - floor(sin(i * 78.233) * 43758.5453)) - 0.5 AS noise
           FROM generate_series(1, $1::int) i) drawn`,
    [rows, label],
  )
}

/** A model over toys in own SQL; ids above 1,000,000 are nobody the question is about. */
export function toyModel(change: Partial<Model> = {}): Model {
  return {
    name: 'toy',
    entity: 'Toy',
    key: ['id'],
    question: 'Will this toy break?',
    features: [
      { name: 'x', kind: 'number', unit: 'cm', says: 'It is long' },
      { name: 'colour', kind: 'category', says: 'Its colour' },
    ],
    bands: { LOW: 0, MEDIUM: 0.3, HIGH: 0.6 },
    schemaHash: 'toy-1',
    async read(client: SqlClient, pairs: readonly Pair[]) {
      const rows = await client.$queryRawUnsafe<{ known: boolean; x: number | null; colour: string | null }[]>(
        `SELECT t.id IS NOT NULL AS known, t.x, t.colour FROM unnest($1::int[]) WITH ORDINALITY AS p(id, n)
         LEFT JOIN toy t ON t.id = p.id ORDER BY p.n`,
        pairs.map(({ key }) => Number(key.id)),
      )
      return rows.map(({ known, x, colour }) => ({ eligible: known, values: [x, colour] as FeatureValue[] }))
    },
    async *labels(client: SqlClient, { pageSize }) {
      for (let after = 0; ; ) {
        const rows = await client.$queryRawUnsafe<{ id: number; y: number; at: Date }[]>(
          'SELECT id, y, at FROM toy WHERE id > $1 AND y IS NOT NULL ORDER BY id LIMIT $2',
          after,
          pageSize,
        )
        if (rows.length === 0) return
        after = rows.at(-1)!.id
        yield rows.map(({ id, y, at }): LabelRow => ({ key: { id }, asOf: at, label: y }))
      }
    },
    ...change,
  }
}
