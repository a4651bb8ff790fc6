import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { openStand, type Stand, until } from '../gateway/stand.ts'

describe.each(['local', 'http'] as const)('the WebSocket edge over the %s transport', (transport) => {
  let stand: Stand
  const sockets: WebSocket[] = []
  beforeAll(async () => {
    stand = await openStand({
      transport,
      limits: { operationsPerSocket: 3, socketsPerViewer: 2, pingsPerMinute: 20, sockets: 30 },
      listen: { origins: ['https://school.example'] },
    })
  })
  afterAll(async () => {
    for (const socket of sockets) socket.terminate()
    await stand.close()
  })

  const open = async (
    headers: Record<string, string> = {},
  ): Promise<WebSocket & { received: Record<string, unknown>[] }> => {
    const socket = new WebSocket(stand.url.replace('http', 'ws'), 'graphql-transport-ws', { headers })
    sockets.push(socket)
    const received: Record<string, unknown>[] = []
    socket.on('message', (message) => received.push(JSON.parse(String(message))))
    await once(socket, 'open')
    return Object.assign(socket, { received })
  }
  const closeOf = async (socket: WebSocket): Promise<number> => {
    const [code] = await once(socket, 'close')
    return code
  }
  const say = (socket: WebSocket, message: unknown) =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  const init = { type: 'connection_init' }
  const subscribe = (id: string, query: string) => ({ id, type: 'subscribe', payload: { query } })

  it.each([
    ['row 35: bad JSON', 4400, ['{']],
    ['row 35: an unknown type', 4400, [{ type: 'hello' }]],
    ['row 35: a subscription before the handshake', 4401, [subscribe('1', '{ models }')]],
    ['row 35: a second handshake', 4429, [init, init]],
    [
      'row 35: an id that is in use',
      4409,
      [init, subscribe('1', 'subscription { forever { number } }'), subscribe('1', '{ models }')],
    ],
    ['row 36: a frame over 256 KiB', 1009, ['x'.repeat(300_000)]],
  ])('closes on %s with %i', async (_name, code, messages) => {
    const socket = await open()
    const closed = closeOf(socket)
    for (const message of messages) {
      say(socket, message)
      if (message === init) await until(() => socket.received.length > 0 || socket.readyState !== socket.OPEN)
    }
    expect(await closed).toBe(code)
  })

  it('row 35: closes a socket that does not say hello', async () => {
    expect(await closeOf(await open())).toBe(4408)
  })

  it('row 37: refuses pages of other origins, and lets its own and allowed ones in', async () => {
    const tryOrigin = (origin: string) =>
      open({ origin }).then(
        (socket) => {
          socket.terminate()
          return 'open'
        },
        (error: Error) => error.message,
      )
    expect(await tryOrigin('https://evil.example')).toContain('403')
    expect(await tryOrigin(stand.server.url)).toBe('open')
    expect(await tryOrigin('https://school.example')).toBe('open')
  })

  it('refuses other paths and other protocols', async () => {
    const other = new WebSocket(`${stand.server.url.replace('http', 'ws')}/admin`)
    sockets.push(other)
    await expect(once(other, 'open')).rejects.toThrow('404')
    const legacy = new WebSocket(stand.url.replace('http', 'ws'), 'graphql-ws')
    sockets.push(legacy)
    await expect(once(legacy, 'open')).rejects.toThrow()
  })

  it('row 36: bounds the operations of a socket and the sockets of a viewer', async () => {
    const first = await open()
    say(first, { ...init, payload: { authorization: 'Bearer eve' } })
    await until(() => first.received.length === 1)
    for (const id of ['1', '2', '3', '4']) say(first, subscribe(id, 'subscription { forever { number } }'))
    await until(() => first.received.some(({ type }) => type === 'error'))
    expect(first.received.filter(({ type }) => type === 'error')).toMatchObject([
      { id: '4', payload: [{ extensions: { code: 'OPERATION_LIMIT' } }] },
    ])
    const second = await open()
    say(second, { ...init, payload: { authorization: 'Bearer eve' } })
    await until(() => second.received.length === 1)
    const third = await open()
    const refused = closeOf(third)
    say(third, { ...init, payload: { authorization: 'Bearer eve' } })
    expect(await refused).toBe(4403)
    first.terminate()
    await until(() => stand.graph.seen.running === 0)
    const fourth = await open()
    say(fourth, { ...init, payload: { authorization: 'Bearer eve' } })
    await until(() => fourth.received.length === 1)
  })

  it('row 36: closes a socket that floods it with pings, of either kind', async () => {
    const pinging = await open()
    const closed = closeOf(pinging)
    for (let count = 0; count < 40; count++) pinging.ping()
    expect(await closed).toBe(1008)
    const chatting = await open()
    const closedToo = closeOf(chatting)
    say(chatting, init)
    for (let count = 0; count < 40; count++) say(chatting, { type: 'ping' })
    expect(await closedToo).toBe(1008)
  })

  it('row 36: answers 503 at the upgrade once the process has enough sockets', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 40 }, () => open()))
    const refused = tries.filter((one) => one.status === 'rejected')
    expect(refused.length).toBeGreaterThanOrEqual(10)
    expect(refused.every(({ reason }) => String(reason).includes('503'))).toBe(true)
    for (const one of tries) if (one.status === 'fulfilled') one.value.terminate()
  })

  it('row 36: agrees to no compression, so that there is no bomb', async () => {
    const socket = new WebSocket(stand.url.replace('http', 'ws'), 'graphql-transport-ws', { perMessageDeflate: true })
    sockets.push(socket)
    await once(socket, 'open')
    expect(socket.extensions).toBe('')
  })
})

describe('a client that does not read', () => {
  it.each(['WebSocket', 'event stream'])('pauses the source of its %s, and is cut in the end', async (way) => {
    const stand = await openStand({ limits: { slowConsumerMs: 500 } })
    const { seen } = stand.graph
    const query = 'subscription { flood }'
    const socket = way === 'WebSocket' ? await floodSocket(stand, query) : null
    const response =
      way === 'WebSocket'
        ? null
        : await fetch(stand.url, {
            method: 'POST',
            headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
            body: JSON.stringify({ query }),
          })
    await until(() => seen.emitted > 0)
    await until(() => seen.returned === 1, 20_000)
    expect(seen.emitted).toBeLessThan(500) // 32 MB: what two kernels' socket buffers hold, and no more
    socket?.terminate()
    await response?.body?.cancel().catch(() => {})
    await stand.close()
  })

  const floodSocket = async (stand: Stand, query: string): Promise<WebSocket> => {
    const socket = new WebSocket(stand.url.replace('http', 'ws'), 'graphql-transport-ws')
    socket.on('error', () => {})
    await once(socket, 'open')
    socket.send(JSON.stringify({ type: 'connection_init' }))
    await once(socket, 'message')
    socket.pause()
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }))
    return socket
  }
})
