import { expect, it } from 'vitest'
import { ask, openStand } from './stand.ts'

const page = { headers: { accept: 'text/html,application/xhtml+xml' } }
const examples = [{ name: 'Who is at risk', query: '{ learners { nodes { id score } } }' }]

it('serves a GraphiQL page that loads nothing from elsewhere, with the example queries in it', async () => {
  const stand = await openStand({ listen: { examples, title: 'The small graph' } })
  const { status, text, headers } = await ask(stand.url, page)
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(text).toContain('<title>The small graph</title>')
  expect(text).toContain('# Who is at risk\\n{ learners { nodes { id score } } }')
  // Scripts, styles, fonts and pictures are inside; addresses inside comments and strings are not loaded.
  const head = text.slice(0, text.indexOf('<script>'))
  expect(text).not.toMatch(/<(script|link|img|iframe)[^>]*\s(src|href)="https?:/i)
  expect(head).not.toMatch(/url\(["']?https?:/i)
  expect(head).not.toMatch(/@import/i)
  await stand.close()
})

it('has no page in production', async () => {
  const stand = await openStand({ production: true, listen: { examples } })
  const { status, text } = await ask(stand.url, page)
  expect(status).toBe(404)
  expect(text.length).toBeLessThan(300)
  await stand.close()
})
