/** What a viewer may do within its tenant, by scope. A new scope is one line here. */
export const scopes = {
  admin: 'Everything within the tenant, limits aside.',
  bulk: 'Larger pages and costlier queries.',
  'learning:read': 'See learners, courses and what they did.',
  'learning:write': 'Record what learners did.',
  'predictions:read': 'See predictions: probability, risk level, stored scores.',
  'predictions:explain': 'See reasons, feature values and what-ifs.',
  'predictions:write': 'Score, and record outcomes.',
  'models:read': 'See models, versions, training runs, metrics and alerts.',
  'models:train': 'Start training runs and schedules of them.',
  'models:promote': 'Move aliases, start and stop experiments, import and export versions, acknowledge alerts.',
  'jobs:read': 'See jobs and their events.',
  'jobs:write': 'Cancel and retry jobs, and schedule them.',
  'llm:use': 'Ask for completions.',
  'llm:read': 'See completions, usage, budgets and providers.',
  'llm:admin': 'Set budgets.',
  'people:delete': 'Remove a person and what was derived from that person.',
} as const

export type Scope = keyof typeof scopes

export function isScope(text: string): text is Scope {
  return Object.hasOwn(scopes, text)
}

/** Who is asking. Without configured keys every caller is the local administrator of a loopback start. */
export interface Viewer {
  readonly id: string
  readonly tenant: string
  readonly scopes: readonly string[]
}

/** Whose rows are that name no tenant, and who runs the installation. */
export const DEFAULT_TENANT = 'default'

export const localViewer: Viewer = { id: 'local', tenant: DEFAULT_TENANT, scopes: ['admin', 'bulk'] }

/** `admin` holds every scope but `bulk`, which is about limits and not about rights. */
export function hasScope(viewer: Viewer, scope: Scope): boolean {
  return viewer.scopes.includes(scope) || (scope !== 'bulk' && viewer.scopes.includes('admin'))
}
