import { readFileSync } from 'node:fs'
import { buildSchema, parse, validate } from 'graphql'
import { expect, it } from 'vitest'
import { readExamples } from '../../app/examples.ts'

const schema = buildSchema(readFileSync(new URL('../../schema/sdl/client.graphql', import.meta.url), 'utf8'))

it.each(readExamples())('keeps the example "$name" valid in the graph', ({ query }) => {
  expect(validate(schema, parse(query))).toEqual([])
})
