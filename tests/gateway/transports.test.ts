import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStand, type Stand } from './stand.ts'

const queries: [name: string, query: string, variables?: object][] = [
  ['one subgraph', '{ learners { nodes { id name grade } totalCount } }'],
  ['a join', '{ learners(first: 5) { nodes { id name score } } }'],
  ['a join without the key selected', '{ learners { nodes { name score } } }'],
  ['two joins deep', '{ learners(first: 4) { nodes { score courses(first: 3) { title demand } } } }'],
  [
    'aliases of one predicted field',
    '{ learners { nodes { a: score b: score(scale: 2) c: score(scale: 3) pair { low high } } } }',
  ],
  [
    'fragments',
    'query($n: Int) { learners(first: $n) { nodes { ...L } } } fragment L on Learner { __typename id score ... on Learner { name } }',
    { n: 2 },
  ],
  [
    'include and skip',
    'query($yes: Boolean!) { learners { nodes { id @include(if: $yes) score @skip(if: $yes) name } } }',
    { yes: true },
  ],
  ['two subgraphs at the root', '{ models learner(id: "7") { name } clock { viewer now instant } clocks }'],
  ['a missing entity', '{ learner(id: "0") { name score } }'],
  ['partial errors', '{ learners(first: 4) { nodes { id fragile } } }'],
  ['an expected error', '{ forbidden models }'],
  ['an unexpected error', '{ broken models }'],
  ['a value that is no number', '{ notANumber }'],
  ['null where there is none', '{ mustNotBeNull { value } models }'],
  [
    'a mutation',
    'mutation($name: String!) { rename(id: "1", name: $name) { name score } }',
    { name: 'Ada "quoted" \u{1F600}' },
  ],
  [
    'lists and unicode',
    'query($v: [Int!]) { echo(text: "ünï\\n\\"x\\"", day: "2024-01-01", values: $v) }',
    { v: [1, 2, 3] },
  ],
  ['a variable of the wrong type', 'query($n: Int) { learners(first: $n) { totalCount } }', { n: 'many' }],
  [
    'a wrong variable that no subgraph reads',
    'query($s: Float) { learner(id: "nobody") { score(scale: $s) } }',
    { s: 'x' },
  ],
  ['a missing variable', 'query($id: ID!) { learner(id: $id) { name } }'],
  ['an invalid query', '{ learners { nodes { nmae } } }'],
  ['a syntax error', '{ learners { '],
  ['an unknown operation', 'query A { models } query B { models }'],
  ['the names of types', '{ __typename learner(id: "1") { __typename } }'],
  ['a type by introspection', '{ __type(name: "Learner") { fields { name } } }'],
]

describe.each(['rust', 'javascript'] as const)('the %s planner', (planner) => {
  let local: Stand
  let remote: Stand
  beforeAll(async () => {
    local = await openStand({ planner })
    remote = await openStand({ planner, transport: 'http' })
  })
  afterAll(() => Promise.all([local.close(), remote.close()]))

  it.each(queries)('answers %s over HTTP byte for byte as in one process', async (_name, query, variables) => {
    const headers = { 'x-request-id': 'the-same', authorization: 'Bearer ada' }
    const [inProcess, overHttp] = [
      await local.post(query, variables, headers),
      await remote.post(query, variables, headers),
    ]
    expect(overHttp.text).toBe(inProcess.text)
    expect(overHttp.status).toBe(inProcess.status)
    expect(inProcess.text).toMatchSnapshot()
  })
})

describe('one schema in this process', () => {
  let joined: Stand
  let remote: Stand
  beforeAll(async () => {
    joined = await openStand()
    remote = await openStand({ transport: 'http' })
  })
  afterAll(() => Promise.all([joined.close(), remote.close()]))

  it.each(queries)('answers %s byte for byte as the planner over HTTP', async (_name, query, variables) => {
    const headers = { 'x-request-id': 'the-same', authorization: 'Bearer ada' }
    const [one, planned] = [await joined.post(query, variables, headers), await remote.post(query, variables, headers)]
    expect([joined.gateway.planner, remote.gateway.planner]).toEqual(['none', 'rust'])
    expect(one.text).toBe(planned.text)
    expect(one.status).toBe(planned.status)
  })
})
