import { parse, print } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mergeFields } from '../../gateway/merge-fields.ts'
import { openStand, type Stand } from './stand.ts'

describe('fields selected twice', () => {
  let stand: Stand
  beforeAll(async () => {
    stand = await openStand()
  })
  afterAll(() => stand.close())

  const once = {
    nodes: [
      { id: '1', name: 'Learner 1' },
      { id: '2', name: 'Learner 2' },
    ],
  }
  const ways = [
    '{ learners(first: 2) { nodes { id } nodes { name } } }',
    '{ learners(first: 2) { nodes { id name } nodes { id name } } }',
    '{ learners(first: 2) { nodes { id } } learners(first: 2) { nodes { name } } }',
    '{ learners(first: 2) { nodes { id } ...F } } fragment F on LearnerConnection { nodes { name } nodes { name } }',
    '{ learners(first: 2) { nodes { id } ... { nodes { name } } } }',
    '{ learners(first: 2) { nodes { id } ... on LearnerConnection { nodes { name } } } }',
    'query($yes: Boolean = true) { learners(first: 2) { nodes { id } nodes @include(if: $yes) { name } } }',
    'query($yes: Boolean = true) { learners(first: 2) { nodes @include(if: $yes) { id } nodes @include(if: $yes) { name } } }',
  ]
  for (const query of ways)
    it(`are one list, not the list twice: ${query}`, async () => {
      expect((await stand.post(query)).json).toEqual({ data: { learners: once } })
    })

  it('are not planned at all when every one is skipped: the answer is empty', async () => {
    const nothing = [
      ['{ learners @skip(if: true) { totalCount } }', {}],
      ['{ ... @include(if: false) { learners { totalCount } } }', {}],
      ['query($no: Boolean = false) { ...F } fragment F on Query { learners @include(if: $no) { totalCount } }', {}],
      ['query($yes: Boolean!) { learners @skip(if: $yes) { totalCount } }', { yes: true }],
    ] as const
    for (const [query, variables] of nothing) {
      const { status, json } = await stand.post(query, variables)
      expect([query, status, json]).toEqual([query, 200, { data: {} }])
    }
  })

  it('leave a document alone that has none, so that its plan is found again', () => {
    const document = parse('{ learners { nodes { id } } a: learners { nodes { id } } }')
    expect(mergeFields(document)).toBe(document)
    const twice = parse('{ learners { nodes { id } nodes { name } } }')
    expect(mergeFields(twice)).toBe(mergeFields(twice))
    expect(print(mergeFields(twice)).replace(/\s+/g, ' ')).toBe('{ learners { nodes { id name } } }')
  })
})
