import { expect, it } from 'vitest'
import { ask, openStand } from './stand.ts'

const page = { headers: { accept: 'text/html,application/xhtml+xml' } }
const examples = [{ name: 'Who is at risk', query: '{ learners { nodes { id score } } }' }]

it('serves a GraphiQL page that loads nothing from elsewhere, with the example queries in it', async () => {
  const stand = await openStand({ listen: { examples, title: 'The small graph' } })
  const { status, text, headers } = await ask(stand.url, page)
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  // The page weighs 9 MB: a matcher that prints it would hide what failed.
  expect(text.includes('<title>The small graph</title>')).toBe(true)
  expect(text.includes('# Who is at risk\\nquery WhoIsAtRisk { learners { nodes { id score } } }')).toBe(true)
  // A WebSocket of the page would carry no header, and with it no token.
  expect(text.includes('"subscriptionsProtocol":"SSE","method":"POST"')).toBe(true)
  // Scripts, styles, fonts and pictures are inside; addresses inside comments and strings are not loaded.
  const head = text.slice(0, text.indexOf('<script>'))
  expect(/<(script|link|img|iframe)[^>]*\s(src|href)="https?:/i.test(text)).toBe(false)
  expect(/url\(["']?https?:/i.test(head)).toBe(false)
  expect(/@import/i.test(head)).toBe(false)
  await stand.close()
})

it('has no page in production', async () => {
  const stand = await openStand({ production: true, listen: { examples } })
  const { status, text } = await ask(stand.url, page)
  expect(status).toBe(404)
  expect(text.length).toBeLessThan(300)
  await stand.close()
})
