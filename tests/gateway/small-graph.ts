import { buildSubgraphSchema } from '@apollo/subgraph'
import DataLoader from 'dataloader'
import { GraphQLError, type GraphQLResolveInfo, parse } from 'graphql'
import { InklingError } from '../../platform/errors.ts'
import type { RequestContext, Subgraph } from '../../platform/request.ts'

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key", "@shareable"])\n'

const schoolSdl = `${link}
  type Query {
    "Learners by id, n of them."
    learners(first: Int = 3, last: Int): LearnerConnection!
    learner(id: ID!): Learner
    clock: Clock!
    broken: String
    forbidden: String
    slow(ms: Int!): String
    echo(text: String, day: Day, values: [Int!]): String
    notANumber: Int
    mustNotBeNull: Strict
  }
  type Strict { value: String! }
  scalar Day
  type Clock { requestId: String! viewer: String! now: String! instant: String! }
  type LearnerConnection { nodes: [Learner!]! totalCount: Int! }
  type Learner @key(fields: "id") { id: ID! name: String! courses(first: Int = 2): [Course!]! grade: Grade! }
  enum Grade { GOOD FAIR }
  type Course @key(fields: "id") { id: ID! title: String! }
  type Mutation { rename(id: ID!, name: String!): Learner }
  type Subscription {
    ticks(n: Int!, learnerId: ID = "1"): Tick!
    forever: Tick!
    breaks: Tick!
    flood: String!
  }
  type Tick { number: Int! learner: Learner! now: String! }
`
const mlSdl = `${link}
  type Query { models: [String!]! clocks: [String!]! }
  type Learner @key(fields: "id") { id: ID! score(scale: Float = 1): Float fragile: Float pair: Pair }
  type Course @key(fields: "id") { id: ID! demand: Float }
  type Pair { low: Float! high: Float! }
`

/** What the small graph was seen to do. */
export interface Sightings {
  contexts: Record<string, number>
  /** Keys of each batch that a loader read. */
  batches: string[][]
  entityCalls: number
  running: number
  returned: number
  /** Events of the flood. */
  emitted: number
  aborted: number
}

interface SmallContext {
  request: RequestContext
  scores: DataLoader<string, number>
}

export interface SmallGraph {
  readonly subgraphs: Subgraph[]
  readonly seen: Sightings
}

/** Two federated subgraphs over nothing but arithmetic: learners and courses, and scores about them. */
export function smallGraph(): SmallGraph {
  const seen: Sightings = { contexts: {}, batches: [], entityCalls: 0, running: 0, returned: 0, emitted: 0, aborted: 0 }
  const learner = (id: string) => ({ __typename: 'Learner', id, name: `Learner ${id}` })
  const course = (id: string) => ({ __typename: 'Course', id, title: `Course ${id}` })

  const schoolResolvers = {
    Query: {
      learners: (_: unknown, { first }: { first: number }) => ({
        nodes: Array.from({ length: first }, (_unused, index) => learner(String(index + 1))),
        totalCount: 1_000,
      }),
      learner: (_: unknown, { id }: { id: string }) => (id === '0' ? null : learner(id)),
      clock: (_: unknown, _args: object, { request }: SmallContext) => ({
        requestId: request.requestId,
        viewer: request.viewer.id,
        now: request.now.toISOString(),
        instant: request.instant.toISOString(),
      }),
      broken: () => {
        throw new Error('connect ECONNREFUSED postgres://inkling:secret@db/inkling')
      },
      forbidden: () => {
        throw new InklingError('FORBIDDEN', 'Only staff may see this.', 'Ask for the scope staff.')
      },
      slow: async (_: unknown, { ms }: { ms: number }) => {
        seen.running++
        await new Promise((resolve) => setTimeout(resolve, ms))
        seen.running--
        return 'done'
      },
      echo: (_: unknown, args: { text?: string; day?: string; values?: number[] }) => JSON.stringify(args),
      notANumber: () => 'seven',
      mustNotBeNull: () => ({ value: null }),
    },
    Learner: {
      __resolveReference: ({ id }: { id: string }) => (id === '0' ? null : learner(id)),
      courses: ({ id }: { id: string }, { first }: { first: number }) =>
        Array.from({ length: first }, (_unused, index) => course(`${id}-${index}`)),
      grade: ({ id }: { id: string }) => (Number(id) % 2 ? 'GOOD' : 'FAIR'),
    },
    Course: { __resolveReference: ({ id }: { id: string }) => course(id) },
    Mutation: { rename: (_: unknown, { id, name }: { id: string; name: string }) => ({ ...learner(id), name }) },
    Subscription: {
      ticks: {
        async *subscribe(_: unknown, { n, learnerId }: { n: number; learnerId: string }) {
          for (let number = 1; number <= n; number++) {
            yield { number, learnerId }
            await new Promise((resolve) => setTimeout(resolve, 2))
          }
        },
        resolve: (event: object) => event,
      },
      forever: {
        subscribe: (_: unknown, _args: object, { request }: SmallContext) => {
          let number = 0
          seen.running++
          request.signal?.addEventListener('abort', () => seen.aborted++)
          return {
            [Symbol.asyncIterator]: () => ({
              // After three events it waits for ever, as a quiet subscription does.
              next: () =>
                number < 3
                  ? Promise.resolve({ done: false, value: { number: ++number, learnerId: '1' } })
                  : new Promise(() => {}),
              return: async () => {
                seen.running--
                seen.returned++
                return { done: true, value: undefined }
              },
            }),
          }
        },
        resolve: (event: object) => event,
      },
      flood: {
        subscribe: () => {
          const text = 'x'.repeat(64 * 1024)
          return {
            [Symbol.asyncIterator]: () => ({
              next: async () => {
                seen.emitted++
                return { done: false, value: { flood: text } }
              },
              return: async () => {
                seen.returned++
                return { done: true, value: undefined }
              },
            }),
          }
        },
      },
      breaks: {
        async *subscribe() {
          yield { number: 1, learnerId: '1' }
          throw new Error('lost the connection to secret-host')
        },
        resolve: (event: object) => event,
      },
    },
    Tick: {
      learner: ({ learnerId }: { learnerId: string }) => learner(learnerId),
      now: (_: unknown, _args: object, { request }: SmallContext) => request.now.toISOString(),
    },
  }
  const mlResolvers = {
    Query: {
      models: () => ['churn'],
      clocks: (_: unknown, _args: object, { request }: SmallContext) => [request.requestId, request.now.toISOString()],
    },
    Learner: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      score: ({ id }: { id: string }, { scale }: { scale: number }, { scores }: SmallContext) =>
        scores.load(id).then((score) => score * scale),
      fragile: ({ id }: { id: string }) => {
        if (Number(id) % 2 === 0) throw new GraphQLError('Not about you.', { extensions: { code: 'NOT_APPLICABLE' } })
        if (id === '3') throw new TypeError('cannot read properties of undefined (reading weights.bin)')
        return 0.5
      },
      pair: async ({ id }: { id: string }, _args: object, { scores }: SmallContext) => {
        const score = await scores.load(id)
        return { low: score - 0.1, high: score + 0.1 }
      },
    },
    Course: {
      __resolveReference: ({ id }: { id: string }) => ({ id }),
      demand: ({ id }: { id: string }, _args: object, { scores }: SmallContext) => scores.load(id),
    },
  }

  const build = (name: string, sdl: string, resolvers: object): Subgraph => {
    const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: resolvers as never }])
    countEntityCalls(schema.getQueryType()?.getFields()._entities, seen)
    return {
      name,
      schema,
      sdl,
      contextOf(request): SmallContext {
        seen.contexts[name] = (seen.contexts[name] ?? 0) + 1
        return {
          request,
          scores: new DataLoader(async (ids) => {
            seen.batches.push([...ids])
            return ids.map((id) => (id.length % 7) / 10 + 0.1)
          }),
        }
      },
    }
  }
  return { subgraphs: [build('school', schoolSdl, schoolResolvers), build('ml', mlSdl, mlResolvers)], seen }
}

type Field = { resolve?: ((...args: [unknown, object, object, GraphQLResolveInfo]) => unknown) | null | undefined }

function countEntityCalls(field: Field | undefined, seen: Sightings): void {
  const resolve = field?.resolve
  if (!field || !resolve) return
  field.resolve = (...args) => {
    seen.entityCalls++
    return resolve(...args)
  }
}
