import { once } from 'node:events'
import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { ClientRequest } from '../../gateway/client-request.ts'
import { createAuthentication, signToken } from '../../platform/authentication.ts'
import { loadConfig } from '../../platform/config.ts'
import { InklingError } from '../../platform/errors.ts'
import type { RequestContext } from '../../platform/request.ts'
import { moment, openStand, type Stand, silent, until } from '../gateway/stand.ts'

const config = loadConfig({
  INKLING_AUTH_SECRET: 'a secret of thirty-two characters',
  INKLING_AUTH_TOLERANCE_SECONDS: '0',
})
const { authenticate } = createAuthentication(config, silent)
const tokenFor = (seconds: number, scopes: string[] = []) =>
  signToken(config, { subject: 'ada', tenant: 'north', scopes, seconds })

/** Tokens whose tenant or role is gone: whoever asks where viewers are kept would be told so. */
const withdrawn = new Set<string>()
async function viewerOf(authorization: string | undefined) {
  if (withdrawn.has(authorization ?? '')) throw new InklingError('FORBIDDEN', 'The tenant is gone.', 'Ask its owner.')
  return authenticate(authorization)
}

async function requestOf({ requestId, headers }: ClientRequest): Promise<RequestContext> {
  return { requestId, ...(await viewerOf(headers.authorization)), now: moment, instant: moment, log: silent }
}

/** Row 34 with real tokens; the quiet subscription has no event at which a token would be looked at. */
describe.each(['local', 'http'] as const)('row 34: a token over the %s transport', (transport) => {
  let stand: Stand
  const sockets: WebSocket[] = []
  beforeAll(async () => {
    stand = await openStand({
      transport,
      requestOf,
      renew: async (request, authorization) => ({ ...request, ...(await viewerOf(authorization)) }),
    })
  })
  afterAll(async () => {
    for (const socket of sockets) socket.terminate()
    await stand.close()
  })
  const address = () => stand.url.replace('http', 'ws')

  it('that is missing or wrong is answered 401 over HTTP, and 4403 on a WebSocket', async () => {
    for (const headers of [{}, { authorization: 'Bearer x.y.z' }, { authorization: 'Basic x' }]) {
      const { status, json, headers: given } = await stand.post('{ models }', {}, headers as Record<string, string>)
      expect([status, json.errors[0].extensions.code]).toEqual([401, 'UNAUTHENTICATED'])
      expect(given.get('www-authenticate')).toBe('Bearer')
    }
    for (const authorization of ['', 'Bearer x.y.z']) {
      const client = createClient({
        url: address(),
        webSocketImpl: WebSocket,
        connectionParams: { authorization },
        retryAttempts: 0,
      })
      const answers = client.iterate({ query: '{ models }' })
      await expect(answers.next()).rejects.toMatchObject({ code: 4403 })
    }
  })

  it('is taken from connectionParams and from the header of the upgrade', async () => {
    const authorization = `Bearer ${await tokenFor(60)}`
    const client = createClient({
      url: address(),
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
      retryAttempts: 0,
    })
    const { value } = await client.iterate({ query: '{ clock { viewer } }' }).next()
    expect(value).toEqual({ data: { clock: { viewer: 'ada' } } })
    await client.dispose()
    const socket = new WebSocket(address(), 'graphql-transport-ws', { headers: { authorization } })
    sockets.push(socket)
    await once(socket, 'open')
    socket.send('{"type":"connection_init"}')
    const [message] = await once(socket, 'message')
    expect(JSON.parse(String(message))).toEqual({ type: 'connection_ack' })
    socket.terminate()
  })

  it('that expires ends a quiet WebSocket: its stream says so, and the socket closes with 4403', async () => {
    const authorization = `Bearer ${await tokenFor(2)}`
    const socket = new WebSocket(address(), 'graphql-transport-ws')
    sockets.push(socket)
    const said: { type: string; payload?: { errors?: { extensions: { code: string } }[] } }[] = []
    socket.on('message', (message) => said.push(JSON.parse(String(message))))
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }))
    await until(() => said.length === 1)
    const returned = stand.graph.seen.returned
    socket.send('{"id":"1","type":"subscribe","payload":{"query":"subscription { forever { number } }"}}')
    const began = Date.now()
    const [code] = await once(socket, 'close')
    expect(code).toBe(4403)
    expect(Date.now() - began).toBeLessThan(2_000 + 5_000) // the five seconds
    expect(said.at(-2)!.payload!.errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
    expect(said.at(-1)!.type).toBe('complete')
    await until(() => stand.graph.seen.returned === returned + 1)
  })

  it('that expires ends an event stream with a typed last event', async () => {
    const response = await fetch(stand.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${await tokenFor(2)}`,
      },
      body: JSON.stringify({ query: 'subscription { forever { number } }' }),
    })
    const text = await response.text()
    const last = text.split('event: next\ndata: ').at(-1)!
    expect(JSON.parse(last.split('\n', 1)[0]!).errors).toMatchObject([
      { message: 'The token has expired.', extensions: { code: 'UNAUTHENTICATED' } },
    ])
    expect(text.endsWith('event: complete\ndata:\n\n')).toBe(true)
  })

  it('whose tenant or role is taken away gives no further event: the stream says so and ends', async () => {
    const authorization = `Bearer ${await tokenFor(61, [transport])}`
    const response = await fetch(stand.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization },
      body: JSON.stringify({ query: 'subscription { ticks(n: 1000) { number } }' }),
    })
    let text = ''
    for await (const bytes of response.body!.pipeThrough(new TextDecoderStream())) {
      text += bytes
      if (text.includes('"number":2')) withdrawn.add(authorization)
    }
    const events = [...text.matchAll(/^data: (.+)$/gm)].map(([, event]) => JSON.parse(event!))
    expect(events.length).toBeLessThan(1_000)
    expect(events.at(-1).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    expect(text.endsWith('event: complete\ndata:\n\n')).toBe(true)
  })

  it('is looked at again for every event of a stream', async () => {
    const { gateway } = stand
    let calls = 0
    const client = {
      transport: 'http',
      headers: { authorization: `Bearer ${await tokenFor(60)}` },
      requestId: 'r',
    } as const
    const operation = await gateway.open(client)
    const renewed = operation.nextEvent.bind(operation)
    operation.nextEvent = () => {
      calls++
      return renewed()
    }
    const stream = await gateway.run(operation, { query: 'subscription { ticks(n: 3) { number } }' })
    for await (const _event of stream as AsyncIterable<unknown>) expect(calls).toBeGreaterThan(0)
    expect(calls).toBe(3)
  })
})
