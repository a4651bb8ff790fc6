import { type ExecutionResult, graphql, parse, validate } from 'graphql'
import { learningClient } from '../../platform/clients.ts'
import type { Database } from '../../platform/database.ts'
import type { RequestContext, Subgraph } from '../../platform/request.ts'
import { localViewer, type Viewer } from '../../platform/viewer.ts'
import { createLearningSubgraph } from '../../subgraphs/learning/subgraph.ts'
import { silent } from '../harness.ts'

export const NOW = new Date('2026-03-10T12:00:00.000Z')

export interface School {
  readonly subgraph: Subgraph
  /** Executes a query in process; `statements` counts what reached the database. */
  ask(
    source: string,
    variables?: Record<string, unknown>,
    request?: Partial<RequestContext>,
  ): Promise<ExecutionResult & { readonly statements: number; readonly milliseconds: number }>
  /** As `ask`, and throws when there are errors. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  read(source: string, variables?: Record<string, unknown>): Promise<any>
}

export function requestOf(viewer: Viewer = localViewer, now = NOW): RequestContext {
  return { requestId: 'test', viewer, now, instant: now, log: silent }
}

/** The learning subgraph over a database, with every statement counted where it leaves for the database. */
export function openSchool(database: Database): School {
  const subgraph = createLearningSubgraph({ prisma: learningClient(database) })
  const count = countStatements(database)
  const ask: School['ask'] = async (source, variables = {}, request = {}) => {
    const faults = validate(subgraph.schema, parse(source))
    if (faults.length > 0) throw faults[0]
    const contextValue = subgraph.contextOf({ ...requestOf(), ...request })
    const before = count()
    const start = performance.now()
    const result = await graphql({ schema: subgraph.schema, source, variableValues: variables, contextValue })
    return { ...result, statements: count() - before, milliseconds: performance.now() - start }
  }
  return {
    subgraph,
    ask,
    async read(source, variables) {
      const { data, errors } = await ask(source, variables)
      if (errors) throw errors[0]
      return data
    },
  }
}

function countStatements(database: Database): () => number {
  let statements = 0
  const { pool } = database
  const query = pool.query.bind(pool) as (...given: unknown[]) => unknown
  pool.query = ((...given: unknown[]) => {
    statements++
    return query(...given)
  }) as typeof pool.query
  return () => statements
}
