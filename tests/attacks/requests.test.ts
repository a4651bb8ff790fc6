import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect as dial, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, openStand, type Stand } from '../gateway/stand.ts'
import { expectHealthy, expectRefusal } from './refusal.ts'

const json = { 'content-type': 'application/json' }
const query = JSON.stringify({ query: '{ models }' })

describe.each(['local', 'http'] as const)('requests over the %s transport', (transport) => {
  let stand: Stand
  beforeAll(async () => {
    stand = await openStand({ transport, listen: { origins: ['https://school.example'] } })
  })
  afterAll(() => stand.close())
  afterEach(() => expectHealthy(stand))
  const post = (body: string | Buffer, headers: Record<string, string> = json) =>
    ask(stand.url, { method: 'POST', body: body as never, headers })

  it('row 9: refuses an array of operations', async () => {
    expectRefusal(await post(`[${Array.from({ length: 100 }, () => query).join()}]`), 'BAD_REQUEST')
  })

  it('row 11: refuses a body over 256 KiB, and counts what comes out of a compressed one', async () => {
    const of = (size: number) => JSON.stringify({ query: '{ models }', variables: { a: 'x'.repeat(size) } })
    expectRefusal(await post(of(2_000_000)), 'BODY_TOO_LARGE', 413)
    const bomb = gzipSync(of(60_000_000))
    expect(bomb.length).toBeLessThan(100_000)
    expectRefusal(await post(bomb, { ...json, 'content-encoding': 'gzip' }), 'BODY_TOO_LARGE', 413)
    expect((await post(gzipSync(query), { ...json, 'content-encoding': 'gzip' })).json.data).toBeDefined()
    expectRefusal(await post(query, { ...json, 'content-encoding': 'gzip' }), 'BAD_REQUEST')
    expectRefusal(await post(query, { ...json, 'content-encoding': 'zstd' }), 'UNSUPPORTED_ENCODING', 415)
  })

  it('row 11: answers a body of 60 MB before it was sent', async () => {
    const socket = dial(stand.server.port, '127.0.0.1')
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000000\r\n\r\n{`,
    )
    const answer = await textOf(socket, (text) => text.includes('BODY_TOO_LARGE'))
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i)
    socket.destroy()
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'message/http',
    'application/jsonp',
  ])('row 15: refuses a body of %s before reading it', async (type) => {
    expectRefusal(await post(query, { 'content-type': type }), 'BAD_REQUEST')
  })

  it('row 15: refuses a body without a content type, a simple GET, and a mutation by GET', async () => {
    expectRefusal(await post(Buffer.from(query), {}), 'BAD_REQUEST')
    expectRefusal(await ask(`${stand.url}?query={models}`), 'BAD_REQUEST')
    const mutation = `${stand.url}?query=${encodeURIComponent('mutation { rename(id: "1", name: "x") { name } }')}`
    const answer = await ask(mutation, { headers: { 'apollo-require-preflight': '1' } })
    expectRefusal(answer, 'METHOD_NOT_ALLOWED', 405)
    expect(answer.headers.get('allow')).toBe('GET, POST')
  })

  it('row 16: refuses a body that is not UTF-8', async () => {
    expectRefusal(await post(Buffer.from([0x7b, 0xff, 0x7d])), 'BAD_REQUEST')
  })

  it('row 18: refuses a million keys by their size, and takes the last of equal keys', async () => {
    const keys = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join()
    expectRefusal(await post(`{"query":"{ models }","variables":{${keys}}}`), 'BODY_TOO_LARGE', 413)
    const twice = `{"query":"{ nope }","query":"{ models }"}`
    expect((await post(twice)).json).toEqual({ data: { models: ['churn'] } })
  })

  it('row 37: refuses pages of other origins, and tells browsers what allowed ones may do', async () => {
    const from = (origin: string, method = 'POST') =>
      fetch(stand.url, { method, headers: { ...json, origin }, ...(method === 'POST' ? { body: query } : {}) })
    for (const origin of ['https://evil.example', 'null', `${stand.server.url}.evil.example`]) {
      for (const method of ['POST', 'OPTIONS']) {
        const refused = await from(origin, method)
        expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null])
        await refused.text()
      }
    }
    for (const origin of [stand.server.url, 'https://school.example']) {
      const answer = await from(origin)
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin])
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull() // a cookie says nothing here
      await answer.text()
    }
    const preflight = await from('https://school.example', 'OPTIONS')
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, POST'])
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
  })
})

it('answers to names of this machine alone while there are no keys (DNS rebinding)', async () => {
  const stand = await openStand({ listen: { loopbackOnly: true } })
  const as = async (host: string, path = '/graphql') => {
    const request = httpRequest({
      port: stand.server.port,
      host: '127.0.0.1',
      path,
      method: 'POST',
      headers: { ...json, host },
    })
    request.end(query)
    const [response] = await once(request, 'response')
    response.resume()
    return response.statusCode
  }
  const { port } = stand.server
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) expect(await as(host)).toBe(200)
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '10.0.0.1'])
    expect([host, await as(host)]).toEqual([host, 421])
  expect(await as('evil.example', '/health')).toBe(421)
  await stand.close()
})

/** What a server says until the connection ends, or enough was said. */
async function textOf(socket: Socket, isEnough: (text: string) => boolean): Promise<string> {
  let text = ''
  return new Promise((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk
      if (isEnough(text)) resolve(text)
    })
    socket.on('close', () => resolve(text))
  })
}
