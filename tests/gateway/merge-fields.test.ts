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

  it('leave a document alone that has none, so that its plan is found again', () => {
    const document = parse('{ learners { nodes { id } } a: learners { nodes { id } } }')
    expect(mergeFields(document)).toBe(document)
    const twice = parse('{ learners { nodes { id } nodes { name } } }')
    expect(mergeFields(twice)).toBe(mergeFields(twice))
    expect(print(mergeFields(twice)).replace(/\s+/g, ' ')).toBe('{ learners { nodes { id name } } }')
  })
})
