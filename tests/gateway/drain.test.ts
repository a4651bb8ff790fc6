import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { createClient } from 'graphql-ws'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ask, openStand, until } from './stand.ts'

it('is healthy only when every part is ready', async () => {
  let models = false
  const stand = await openStand({
    listen: {
      checks: async () => ({
        database: { ok: true, says: 'up' },
        models: { ok: models, says: models ? '3 loaded' : 'training' },
      }),
    },
  })
  const before = await ask(`${stand.server.url}/health`)
  expect([before.status, before.json]).toEqual([
    503,
    { status: 'not ready', checks: { database: { ok: true, says: 'up' }, models: { ok: false, says: 'training' } } },
  ])
  models = true
  await new Promise((resolve) => setTimeout(resolve, 550))
  expect((await ask(`${stand.server.url}/health`)).status).toBe(200)
  expect((await ask(`${stand.server.url}/ready`)).json).toEqual({ status: 'ready' })
  await stand.close()
})

it('says what failed when the checks themselves fail', async () => {
  const stand = await openStand({ listen: { checks: () => Promise.reject(new Error('database is gone')) } })
  const { status, json } = await ask(`${stand.server.url}/health`)
  expect([status, json.checks]).toEqual([503, { checks: { ok: false, says: 'database is gone' } }])
  await stand.close()
})

it('drains: running requests finish, subscriptions complete, new connections are refused, health says so', async () => {
  const stand = await openStand()
  const agent = new Agent({ keepAlive: true })
  const slow = stand.post('{ slow(ms: 400) }')
  const client = createClient({ url: stand.url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 })
  const closed = new Promise<{ code: number }>((resolve) =>
    client.on('closed', (event) => resolve(event as { code: number })),
  )
  const events: unknown[] = []
  const completed = new Promise<string>((resolve) => {
    client.subscribe(
      { query: 'subscription { forever { number } }' },
      { next: (event) => void events.push(event), error: () => resolve('error'), complete: () => resolve('complete') },
    )
  })
  const stream = await fetch(stand.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: '{"query":"subscription { forever { number } }"}',
  })
  const overWebSocket = new Promise<unknown>((resolve) => {
    client.subscribe({ query: '{ slow(ms: 300) }' }, { next: resolve, error: resolve, complete: () => {} })
  })
  await until(() => events.length === 3 && stand.graph.seen.running === 4)

  // A connection with a request on it is the one way in that is left; its answer is the last.
  const pending = get({ port: stand.server.port, host: '127.0.0.1', path: '/health', agent })
  const [answer] = await once(pending, 'response')
  answer.resume()
  const drained = stand.server.drain()
  expect(await completed).toBe('complete')
  expect(await stream.text()).toContain('event: complete')
  await expect(ask(`${stand.server.url}/health`)).rejects.toThrow()
  expect((await slow).json).toEqual({ data: { slow: 'done' } })
  expect(await overWebSocket).toEqual({ data: { slow: 'done' } })
  expect((await closed).code).toBe(1001)
  await drained
  expect(stand.graph.seen.running).toBe(0)
  agent.destroy()
  await stand.close()
})

it('cuts what does not end in time', async () => {
  const stand = await openStand({ listen: { shutdownSeconds: 0.3 } })
  const hung = stand.post('{ slow(ms: 5000) }').catch(() => 'cut')
  await until(() => stand.graph.seen.running === 1)
  const began = Date.now()
  await stand.server.drain()
  expect(Date.now() - began).toBeLessThan(1_500)
  expect(await hung).toBe('cut')
  await stand.close()
})

it('leaves the signals of the process alone', async () => {
  const before = process.listenerCount('SIGTERM')
  const stand = await openStand()
  expect(process.listenerCount('SIGTERM')).toBe(before)
  await stand.close()
})
