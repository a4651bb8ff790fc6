import { GraphQLError } from 'graphql'
import { isInklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import { checkPage, DEFAULT_PAGE, type PageArguments } from './pagination.ts'

interface Found<Node> {
  readonly nodes: readonly Node[]
  readonly hasNext: boolean
}

/** A page of a list that is read forward only. `more` is kept with the connection, for fields such as totalCount. */
export async function forwardPage<Node, More extends object>(
  args: PageArguments,
  viewer: Viewer,
  read: (page: { first: number; after: string | undefined }) => Promise<Found<Node>>,
  cursorOf: (node: Node) => string,
  more?: More,
): Promise<never> {
  checkPage(args, viewer)
  if (args.last != null || args.before != null) throw badInput('This list is read forward: use first and after.')
  const found = await refusedAsInput(() => read({ first: args.first ?? DEFAULT_PAGE, after: args.after ?? undefined }))
  const edges = found.nodes.map((node) => ({ cursor: cursorOf(node), node }))
  const page = {
    ...more,
    edges,
    pageInfo: {
      hasNextPage: found.hasNext,
      hasPreviousPage: args.after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
  return page as never // Pothos knows the type of a connection only where its field is made
}

export function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

/** What the engine refuses in a query's arguments is said to the client. */
export async function refusedAsInput<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isInklingError(error) && error.code === 'BAD_USER_INPUT') throw badInput(error.message)
    throw error
  }
}
