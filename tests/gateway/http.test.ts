import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listen } from '../../gateway/server.ts'
import { ask, openStand, type Stand } from './stand.ts'

describe('GraphQL over HTTP', () => {
  let stand: Stand
  beforeAll(async () => {
    stand = await openStand()
  })
  afterAll(() => stand.close())

  const post = (body: string | Buffer, headers: Record<string, string>) =>
    ask(stand.url, { method: 'POST', body: body as never, headers })
  const json = { 'content-type': 'application/json' }
  const query = JSON.stringify({ query: '{ models }' })

  it('answers with the media type that was asked for', async () => {
    const types = await Promise.all(
      [
        undefined,
        '*/*',
        'application/json',
        'application/graphql-response+json',
        'application/json;q=0.1, application/graphql-response+json',
      ].map(async (accept) =>
        (await post(query, { ...json, ...(accept ? { accept } : {}) })).headers.get('content-type'),
      ),
    )
    const [plain, graphql] = ['application/json; charset=utf-8', 'application/graphql-response+json; charset=utf-8']
    expect(types).toEqual([plain, plain, plain, graphql, graphql])
    expect((await post(query, { ...json, accept: 'image/png' })).status).toBe(406)
  })

  it('says 400 for a refused request where the media type allows it, and 200 for partial data', async () => {
    const accept = 'application/graphql-response+json'
    const status = async (text: string) => (await stand.post(text, {}, { accept })).status
    expect(await status('{ nope }')).toBe(400)
    expect(await status('{ models ')).toBe(400)
    expect(await status('{ broken models }')).toBe(200)
  })

  it('answers a query by GET to who shows that it is no forged page request', async () => {
    const url = `${stand.url}?query=${encodeURIComponent('query($id: ID!) { learner(id: $id) { name } }')}&variables=${encodeURIComponent('{"id":"4"}')}`
    expect((await ask(url)).status).toBe(400)
    const answer = await ask(url, { headers: { 'apollo-require-preflight': '1' } })
    expect(answer.json).toEqual({ data: { learner: { name: 'Learner 4' } } })
  })

  it('refuses other methods, arrays, and bodies that are no request', async () => {
    expect((await ask(stand.url, { method: 'PUT', body: query, headers: json })).status).toBe(405)
    for (const body of [
      '[]',
      `[${query}]`,
      '"text"',
      'null',
      '{}',
      '{"query":1}',
      '{"query":"{ models }","variables":[]}',
      '{',
      '',
    ]) {
      const answer = await post(body, json)
      expect([body, answer.status, answer.json?.errors?.[0].extensions.code]).toEqual([body, 400, 'BAD_REQUEST'])
    }
  })

  it('answers 401 to a token that is not valid, with the hint', async () => {
    const answer = await stand.post('{ models }', {}, { authorization: 'Bearer bad' })
    expect(answer.status).toBe(401)
    expect(answer.json.errors[0]).toMatchObject({
      message: 'The token is not valid.',
      extensions: { hint: 'Sign in again.' },
    })
  })

  it('answers a query as an event stream to who accepts nothing else', async () => {
    const { text } = await stand.post('{ models }', {}, { accept: 'text/event-stream' })
    expect(text).toContain('event: next\ndata: {"data":{"models":["churn"]}}\n\nevent: complete\ndata:\n\n')
  })

  it('answers 406 to a subscription that accepts no event stream', async () => {
    expect(
      (await stand.post('subscription { ticks(n: 1) { number } }', {}, { accept: 'application/json' })).status,
    ).toBe(406)
  })

  it('answers other paths with 404', async () => {
    expect((await ask(`${stand.server.url}/admin`)).status).toBe(404)
  })
})

it('names the port that is taken and the way out', async () => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  const stand = await openStand()
  await expect(
    listen({ gateway: stand.gateway, host: '127.0.0.1', port, shutdownSeconds: 1, checks: async () => ({}) }),
  ).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: expect.stringContaining(`Port ${port}`),
    hint: expect.stringContaining('PORT='),
  })
  other.close()
  await stand.close()
})
