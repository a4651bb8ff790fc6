import { execute, parse, subscribe, validate } from 'graphql'
import { expect } from 'vitest'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import type { Database } from '../../platform/database.ts'
import type { Viewer } from '../../platform/viewer.ts'
import { createJobsSubgraph } from '../../subgraphs/jobs/subgraph.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { quickPulse, testKinds, viewer } from './kinds.ts'

export interface JobsGraph {
  readonly database: Database
  readonly jobs: Jobs
  /** Throws the first error of the answer. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared whole
  ask(text: string, variables?: Record<string, unknown>, as?: Viewer): Promise<any>
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared whole
  follow(text: string, variables?: Record<string, unknown>, as?: Viewer): Promise<AsyncIterableIterator<any>>
  close(): Promise<void>
}

/** The jobs subgraph with a worker on a database of its own. */
export async function openJobsGraph(): Promise<JobsGraph> {
  const database = await openTestDatabase()
  const jobs = await createJobs({ database, log: silent, kinds: testKinds, worker: true, pulse: quickPulse })
  await jobs.start()
  const { schema, contextOf } = createJobsSubgraph({ jobs, database })
  const requestOf = (text: string, variableValues: Record<string, unknown> = {}, as: Viewer = viewer) => {
    const document = parse(text)
    expect(validate(schema, document)).toEqual([])
    const now = new Date()
    return {
      schema,
      document,
      variableValues,
      contextValue: contextOf({ requestId: 'test', viewer: as, now, instant: now, log: silent }),
    }
  }
  return {
    database,
    jobs,
    async ask(...given) {
      const { data, errors } = await execute(requestOf(...given))
      if (errors) throw errors[0]
      return JSON.parse(JSON.stringify(data))
    },
    async follow(...given) {
      const answers = await subscribe(requestOf(...given))
      if (!(Symbol.asyncIterator in answers)) throw answers.errors?.[0]
      return answers as AsyncIterableIterator<unknown>
    },
    async close() {
      await jobs.stop()
      await database.close()
    },
  }
}
