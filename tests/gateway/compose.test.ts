import { expect, it } from 'vitest'
import { composeSupergraph } from '../../gateway/compose.ts'
import { createGateway } from '../../gateway/gateway.ts'
import { loadPlanner } from '../../gateway/planner.ts'
import { createLog } from '../../platform/log.ts'
import { smallGraph } from './small-graph.ts'
import { requestOf, silent } from './stand.ts'

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key"])\n'

it('composes subgraphs into one supergraph that says where each lives', () => {
  const { subgraphs } = smallGraph()
  const supergraph = composeSupergraph(subgraphs, { school: 'http://school.example/graphql' })
  expect(supergraph).toContain('SCHOOL @join__graph(name: "school", url: "http://school.example/graphql")')
  expect(supergraph).toContain('type Tick')
})

it('names subgraph and field of what does not compose', () => {
  const one = { name: 'one', sdl: `${link} type Query { a: Int } type T @key(fields: "id") { id: ID! size: Int }` }
  const two = { name: 'two', sdl: `${link} type Query { b: Int } type T @key(fields: "id") { id: ID! size: String }` }
  expect(() => composeSupergraph([one, two])).toThrow(
    /"one", "two" do not compose: .*"T\.size".*"Int" in subgraph "one" but type "String" in subgraph "two"/,
  )
})

it('refuses to start over HTTP while the address of a subgraph is missing', async () => {
  const { subgraphs } = smallGraph()
  const transport = { urls: { school: 'http://127.0.0.1:1/graphql' }, secret: 's' }
  await expect(
    createGateway({ subgraphs, requestOf, log: silent, production: false, transport }),
  ).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('"ml"') })
})

it('plans in JavaScript where the addon cannot be loaded, and says so', async () => {
  const lines: unknown[] = []
  const log = Object.assign(createLog('silent'), { warn: (line: unknown) => lines.push(line) })
  const planner = await loadPlanner(log, 'rust', () => Promise.reject(new Error('no addon for linux-musl\nstack')))
  expect(planner).toEqual({ name: 'javascript' })
  expect(lines).toEqual([
    { event: 'rust query planner could not be loaded, javascript plans instead', reason: 'no addon for linux-musl' },
  ])
})
