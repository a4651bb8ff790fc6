import { createHash } from 'node:crypto'

/** A statement as Prisma's adapters pass it on. */
interface Statement {
  readonly sql: string
  readonly args: readonly unknown[]
}

/** The first parameter is an array of keys: the text is the same for any number of them. */
const OVER_KEYS = /\bunnest\((\(SELECT )?\$1::/
/** For more keys than these the plan that is made for them is worth its making: 5,000 pairs of struggle take 0.57 s with it, 0.85 without. */
export const FEW_KEYS = 200

const names = new Map<string, string>()

function nameOf({ sql, args }: Statement): string | undefined {
  const [keys] = args
  if (!Array.isArray(keys) || keys.length > FEW_KEYS || !OVER_KEYS.test(sql)) return undefined
  let name = names.get(sql)
  if (!name) {
    name = `inkling_${createHash('sha256').update(sql).digest('hex').slice(0, 32)}`
    names.set(sql, name)
  }
  return name
}

const ARRAYS = /\bunnest\(((?:\$\d+::[a-z ]+\[\](?:, )?)+)\)/g

/**
 * The statement for few keys: the same, but PostgreSQL does not see how many they are when it plans, so that one plan is as good as another and
 * it settles on one for all after five reads. By itself it plans each read of one key anew, since it takes ten where it does not know:
 * 2.5 ms for a learner's churn features, 1.5 once it has settled (seen at a load of 7).
 */
export function settledSql(sql: string): string {
  return sql.replace(
    ARRAYS,
    (_, arrays: string) => `unnest(${arrays.replaceAll(/\$\d+::[a-z ]+\[\]/g, '(SELECT $&)')})`,
  )
}

/**
 * The name under which a connection keeps a statement over few keys parsed and planned, for Prisma's `statementNameGenerator`; undefined for
 * every other statement, which the driver takes for no name though the adapters' type does not say so. Planning a feature read takes longer
 * than reading one row: 0.85 ms for a churn read, 0.57 parsed before, 0.3 once the server keeps one plan for all keys.
 */
export const statementNameOf = nameOf as (statement: Statement) => string
