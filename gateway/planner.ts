import type { UnifiedGraphHandler } from '@graphql-hive/gateway-runtime'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'

/** Who plans queries: the Rust planner in this process, or the runtime's own JavaScript one. */
export type PlannerName = 'rust' | 'javascript'

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

/** The Rust planner halves a query's CPU time; its addon exists for glibc Linux and macOS only, so elsewhere JavaScript plans. */
export async function loadPlanner(log: Log, wanted: PlannerName = 'rust', load = loadRust): Promise<Planner> {
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
