import { GraphQLError } from 'graphql'
import type { Viewer } from '../platform/viewer.ts'

export const DEFAULT_PAGE = 20
const MOST = 100
const MOST_IN_BULK = 1000

export interface PageArguments {
  readonly first?: number | null | undefined
  readonly last?: number | null | undefined
  readonly after?: string | null | undefined
  readonly before?: string | null | undefined
}

/** The largest page this viewer may ask for. */
export function pageLimit(viewer: Viewer): number {
  return viewer.scopes.includes('bulk') ? MOST_IN_BULK : MOST
}

/** Refuses a page that is negative, too large or asked from both ends. Throws BAD_USER_INPUT. */
export function checkPage(page: PageArguments, viewer: Viewer): void {
  const limit = pageLimit(viewer)
  if (page.first != null && page.last != null) throw refused('first and last exclude each other: pass one of them.')
  for (const name of ['first', 'last'] as const) {
    const size = page[name]
    if (size != null && (size < 0 || size > limit)) throw refused(`${name} must be between 0 and ${limit}.`)
  }
}

function refused(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}
