import type { Viewer } from '../../platform/viewer.ts'
import { requireScopes } from '../../schema/scopes.ts'
import type { JobsContext } from './subgraph.ts'

/**
 * Refuses a viewer who may write jobs but not start this kind, as a training: a schedule or a retry must not be a way round the
 * mutation that starts it. Without a kind, all of them. Throws FORBIDDEN.
 */
export function requireKind({ jobs, viewer }: Pick<JobsContext, 'jobs'> & { viewer: Viewer }, kind?: string): void {
  const kinds = kind === undefined ? [...jobs.kinds.values()] : [jobs.kinds.get(kind)]
  for (const found of kinds) requireScopes(viewer, found?.scopes ?? [])
}
