import { readFileSync } from 'node:fs'
import { buildSchema, parse, validate } from 'graphql'
import { expect, it } from 'vitest'
import { readExamples } from '../../app/examples.ts'

const schema = buildSchema(readFileSync(new URL('../../schema/sdl/client.graphql', import.meta.url), 'utf8'))

it.each(readExamples())('the tab "$name" asks for what the graph has', ({ name, query }) => {
  expect(name).not.toBe('')
  expect(validate(schema, parse(query))).toEqual([])
})
