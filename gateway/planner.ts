import type { UnifiedGraphHandler } from '@graphql-hive/gateway-runtime'
import { type GraphQLSchema, getOperationAST } from 'graphql'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { type Executable, executeIn, subscribeIn } from './execution.ts'
import { operationOf, type SubgraphCall } from './transport.ts'

/**
 * Who plans queries: the Rust planner in this process, or the runtime's own JavaScript one; nobody where the subgraphs of this
 * process are executed as one schema.
 */
export type PlannerName = 'rust' | 'javascript' | 'none'

export interface Planner {
  readonly name: PlannerName
  /** Absent for the JavaScript planner, which the runtime brings itself. */
  readonly unifiedGraphHandler?: UnifiedGraphHandler
}

async function loadRust(): Promise<UnifiedGraphHandler> {
  // The addon is loaded here, where its absence can be answered, not at the first query.
  const addon = '@graphql-hive/router-query-planner'
  const [{ unifiedGraphHandler }] = await Promise.all([import('@graphql-hive/router-runtime'), import(addon)])
  // The two packages carry their own copies of the same handler type.
  return unifiedGraphHandler as unknown as UnifiedGraphHandler
}

/** No planner: every operation is executed as it is written. */
export function withoutPlanner(schema: GraphQLSchema): Planner {
  const executable: Executable = { schema, contextIn: (operation) => operation }
  const unifiedGraphHandler = () => ({
    unifiedGraph: schema,
    getSubgraphSchema: () => schema,
    executor(call: SubgraphCall) {
      const isSubscription = getOperationAST(call.document, call.operationName)?.operation === 'subscription'
      const run = isSubscription ? subscribeIn : executeIn
      return run(executable, call, operationOf(call))
    },
  })
  return { name: 'none', unifiedGraphHandler: unifiedGraphHandler as never }
}

/** The Rust planner halves a query's CPU time; its addon exists for glibc Linux and macOS only, so elsewhere JavaScript plans. */
export async function loadPlanner(
  log: Log,
  wanted: Exclude<PlannerName, 'none'> = 'rust',
  load = loadRust,
): Promise<Planner> {
  if (wanted === 'javascript') return { name: 'javascript' }
  try {
    return { name: 'rust', unifiedGraphHandler: await load() }
  } catch (error) {
    log.warn({
      event: 'rust query planner could not be loaded, javascript plans instead',
      reason: messageOf(error).split('\n', 1)[0],
    })
    return { name: 'javascript' }
  }
}
