import { type Client, createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { moment, openStand, type Stand, until } from './stand.ts'

const ticks = 'subscription { ticks(n: 3) { number now learner { id name score } } }'
const joined = (number: number, second: number) => ({
  data: {
    ticks: {
      number,
      now: new Date(moment.getTime() + second * 1_000).toISOString(),
      learner: { id: '1', name: 'Learner 1', score: 0.2 },
    },
  },
})

describe.each(['local', 'http'] as const)('subscriptions over the %s transport', (transport) => {
  let stand: Stand
  const clients: Client[] = []
  beforeAll(async () => {
    stand = await openStand({
      transport,
      renew: (request) => ({ ...request, now: new Date(request.now.getTime() + 1_000) }),
    })
  })
  afterAll(async () => {
    for (const client of clients) client.dispose()
    await stand.close()
  })

  const connect = (params: Record<string, unknown> = {}): Client => {
    const client = createClient({
      url: stand.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: params,
      retryAttempts: 0,
    })
    clients.push(client)
    return client
  }
  const collect = async (client: Client, query: string, variables?: Record<string, unknown>) => {
    const results: unknown[] = []
    for await (const result of client.iterate({ query, ...(variables ? { variables } : {}) })) results.push(result)
    return results
  }
  const stream = async (query: string, signal?: AbortSignal) =>
    fetch(stand.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
      ...(signal ? { signal } : {}),
    })

  it('streams over WebSocket, with joins inside each event, and completes', async () => {
    const results = await collect(connect(), ticks)
    expect(results).toHaveLength(3)
    expect(results.map((result) => (result as ReturnType<typeof joined>).data.ticks.number)).toEqual([1, 2, 3])
    expect(results.map((result) => (result as ReturnType<typeof joined>).data.ticks.learner)).toEqual(
      [1, 2, 3].map(() => ({ id: '1', name: 'Learner 1', score: 0.2 })),
    )
  })

  it('streams the same over server-sent events and ends with complete', async () => {
    const text = await (await stream(ticks)).text()
    const events = text.split('\n\n').filter((event) => event.startsWith('event: next'))
    expect(events).toHaveLength(3)
    expect(JSON.parse(events[2]!.split('data: ')[1]!).data.ticks.learner.score).toBe(0.2)
    expect(text.endsWith('event: complete\ndata:\n\n')).toBe(true)
  })

  it('gives every event a moment and loaders of its own', async () => {
    const before = stand.graph.seen.batches.length
    const results = await collect(connect(), 'subscription { ticks(n: 2) { now learner { score } } }')
    // Over HTTP the subgraph renews its own request, which the stand does not ask it to.
    const seconds = transport === 'local' ? [1, 2] : [0, 0]
    expect(results.map((result) => (result as ReturnType<typeof joined>).data.ticks.now)).toEqual(
      seconds.map((second) => joined(0, second).data.ticks.now),
    )
    expect(stand.graph.seen.batches.slice(before)).toEqual([['1'], ['1']])
  })

  it('answers queries over WebSocket with the viewer of connectionParams', async () => {
    const query = 'query { clock { viewer } learner(id: "3") { score } }'
    expect(await collect(connect({ authorization: 'Bearer ada' }), query)).toEqual([
      { data: { clock: { viewer: 'ada' }, learner: { score: 0.2 } } },
    ])
  })

  it('refuses a token that is not valid with 4403', async () => {
    await expect(collect(connect({ authorization: 'Bearer bad' }), ticks)).rejects.toMatchObject({ code: 4403 })
  })

  it('reports an invalid subscription as an error of the operation', async () => {
    await expect(collect(connect(), 'subscription { nothing }')).rejects.toMatchObject([
      { message: expect.stringContaining('Cannot query field "nothing"') },
    ])
  })

  it('turns an iterator that throws into a masked last event, once', async () => {
    const results = (await collect(connect(), 'subscription { breaks { number learner { fragile } } }')) as {
      data?: unknown
      errors?: { message: string }[]
    }[]
    expect(results).toHaveLength(2)
    expect(results[0]).toEqual({ data: { breaks: { number: 1, learner: { fragile: 0.5 } } } })
    expect(results[1]!.errors).toHaveLength(1)
    expect(results[1]!.errors![0]!.message).toMatch(/^Something went wrong \(request /)
  })

  it('does not repeat the errors of one event in the next', async () => {
    const query = 'subscription { ticks(n: 3, learnerId: "2") { number learner { fragile } } }'
    const results = (await collect(connect(), query)) as { errors: { extensions: { count?: number } }[] }[]
    expect(results.map(({ errors }) => errors.map(({ extensions }) => extensions.count ?? 1))).toEqual([[1], [1], [1]])
  })

  it('returns the upstream iterator when a WebSocket client unsubscribes while it waits', async () => {
    const { seen } = stand.graph
    const [returned, aborted] = [seen.returned, seen.aborted]
    let received = 0
    const stop = connect().subscribe(
      { query: 'subscription { forever { number } }' },
      { next: () => void received++, error: () => {}, complete: () => {} },
    )
    await until(() => received === 3)
    expect(seen.running).toBe(1)
    stop()
    await until(() => seen.returned === returned + 1)
    await until(() => seen.aborted === aborted + 1)
    expect(seen.running).toBe(0)
  })

  it('returns the upstream iterator when a socket is cut', async () => {
    const { seen } = stand.graph
    const returned = seen.returned
    const socket = new WebSocket(stand.url.replace('http', 'ws'), 'graphql-transport-ws')
    await new Promise((resolve) => socket.once('open', resolve))
    socket.send(JSON.stringify({ type: 'connection_init' }))
    let messages = 0
    socket.on('message', () => messages++)
    await until(() => messages === 1)
    socket.send(
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query: 'subscription { forever { number } }' } }),
    )
    await until(() => messages === 4)
    socket.terminate()
    await until(() => seen.returned === returned + 1)
    expect(seen.running).toBe(0)
  })

  it('returns the upstream iterator when an event stream is aborted', async () => {
    const { seen } = stand.graph
    const returned = seen.returned
    const abort = new AbortController()
    const response = await stream('subscription { forever { number } }', abort.signal)
    const reader = response.body!.getReader()
    let text = ''
    while (!text.includes('"number":3')) text += new TextDecoder().decode((await reader.read()).value)
    abort.abort()
    await until(() => seen.returned === returned + 1)
    expect(seen.running).toBe(0)
  })
})
