import { readdirSync, readFileSync } from 'node:fs'
import { buildSchema, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { root } from './imports.ts'

const read = (name: string) => readFileSync(new URL(name, `file://${root}/`), 'utf8')
const schema = buildSchema(read('schema/sdl/client.graphql'))
const pages = ['README.md', ...readdirSync(new URL('docs', `file://${root}/`)).map((name) => `docs/${name}`)]

describe('what the pages show of the graph', () => {
  const blocks = pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) => [...read(page).matchAll(/```graphql\n(.*?)```/gs)].map(([, text]) => ({ page, text: text! })))

  it('is found', () => {
    expect(blocks.map(({ page }) => page)).toEqual(expect.arrayContaining(['README.md', 'docs/llm.md']))
  })

  it.each(blocks)('can be asked: $page, $text', ({ text }) => {
    expect(validate(schema, parse(text)).map(({ message }) => message)).toEqual([])
  })
})
