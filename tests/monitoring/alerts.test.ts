import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ExecutionResult, parse, subscribe } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AlertEvent } from '../../ml/alerts/store.ts'
import { sendWebhook, signatureOf } from '../../ml/alerts/webhook.ts'
import { toyModel } from '../ml/toy-model.ts'
import { admin, type MonitoringStand, now, openMonitoringStand, outcomeOf, RECORD, range, stranger } from './stand.ts'

const SECRET = 'a secret of sixteen'
const ALERTS = `query ($states: [AlertState!]) { alerts(states: $states) { nodes { id rule state message owner rows breaches { name value bound } version { number } } } }`

interface Received {
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

describe('alerts about a model that serves', () => {
  let stand: MonitoringStand
  let server: Server
  const received: Received[] = []
  let failures = 1
  let isBroken = false
  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (part) => {
        body += part
      })
      request.on('end', () => {
        if (request.url === '/elsewhere') return response.writeHead(302, { location: '/' }).end()
        if (failures-- > 0) return response.writeHead(503).end()
        received.push({ headers: request.headers, body })
        response.writeHead(204).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    stand = await openMonitoringStand(
      {
        threshold: 0.4, // recall is held against that of the hold-out at this threshold
        alerts: { owner: 'data team', minimumRows: 60, accuracy: { min: 0.7 }, precision: { min: 0.3 } },
        retrain: { onDrift: true, onOutcomes: 100_000 },
        abstain: { missingShare: 0.6 },
        async read(...given) {
          if (isBroken) throw new Error('the rows cannot be read')
          return toyModel().read(...given)
        },
      },
      { webhook: { url: url('/'), secret: SECRET, isPrivate: true } },
    )
  })
  afterAll(async () => {
    await stand.close()
    server.close()
  })
  const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const alerts = async (as = admin) => (await stand.ask(ALERTS, {}, as)).alerts.nodes
  const truth = async (ids: readonly number[]) => {
    const { rows } = await stand.database.query<{ id: number; y: number }>('SELECT id, y FROM toy WHERE id = ANY($1)', [
      ids,
    ])
    return new Map(rows.map(({ id, y }) => [id, y === 1]))
  }
  async function record(ids: readonly number[], isInverted: boolean) {
    const labels = await truth(ids)
    for (const id of ids) await stand.ask(RECORD, outcomeOf(id, labels.get(id)! !== isInverted))
  }

  it('raises none while outcomes are as in training', async () => {
    await stand.serve(range(1, 300))
    await record(range(1, 80), false)
    expect((await stand.monitor()).toy!.events).toEqual([])
    const { model } = await stand.ask(
      '{ model(name: "toy") { performance { nodes { labelled isEnough accuracy recall auc version { number } estimated { isEstimate accuracy } intervals { name low high } } } servedCounts { nodes { served abstentionRate errorRate } } drift { nodes { feature psi isDrifted missingRate } } predictionDrift { psi isDrifted } } }',
    )
    const [point] = model.performance.nodes
    expect(point).toMatchObject({
      labelled: 79, // of toy 70 too little is known
      isEnough: true,
      version: { number: 1 },
      estimated: { isEstimate: true },
    })
    expect(point.accuracy).toBeGreaterThan(0.75)
    expect(Math.abs(point.estimated.accuracy - point.accuracy)).toBeLessThan(0.15)
    expect(model.servedCounts.nodes).toEqual([{ served: 296, abstentionRate: 4 / 300, errorRate: 0 }])
    expect(model.drift.nodes.map(({ isDrifted }: { isDrifted: boolean }) => isDrifted)).toEqual([false, false])
    expect(model.predictionDrift.isDrifted).toBe(false)
  })

  it('raises exactly one, however many figures inverted outcomes drive down and however often it looks', async () => {
    await record(range(1, 80), true)
    const events = await Promise.all([stand.monitor(), stand.monitor(), stand.monitor()])
    expect(events.flatMap(({ toy }) => toy!.events)).toEqual(['OPENED PERFORMANCE'])
    await record(range(81, 20), true)
    await stand.monitor()
    const found = await alerts()
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({
      rule: 'PERFORMANCE',
      state: 'OPEN',
      owner: 'data team',
      rows: 99,
      version: { number: 1 },
    })
    expect(found[0].breaches.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['accuracy', 'recall', 'auc']),
    )
    expect(await alerts(stranger)).toEqual([])
  })

  it('tells the webhook, signed, again until it is heard', async () => {
    for (let wait = 0; wait < 200 && received.length === 0; wait++)
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect(received).toHaveLength(1)
    const { headers, body } = received[0]!
    const timestamp = String(headers['x-inkling-timestamp'])
    expect(headers['x-inkling-signature']).toBe(`sha256=${signatureOf(SECRET, timestamp, body)}`)
    expect(JSON.parse(body)).toMatchObject({ type: 'OPENED', alert: { model: 'toy', rule: 'PERFORMANCE' } })
  })

  it('row 30: calls no private address unless that is meant, follows no redirect, and gives up on what is refused', async () => {
    const event = { sequence: '1', type: 'OPENED', at: now, data: {} } as AlertEvent
    const code = (webhook: { url: string; isPrivate?: boolean }) =>
      sendWebhook({ secret: SECRET, ...webhook }, event).then(String, (error) => error.code)
    expect(await code({ url: url('/') })).toBe('ADDRESS_REFUSED')
    expect(await code({ url: url('/').replace('127.0.0.1', 'localhost') })).toBe('ADDRESS_REFUSED')
    expect(await code({ url: 'http://169.254.169.254/latest/meta-data' })).toBe('ADDRESS_REFUSED')
    expect(await code({ url: url('/elsewhere'), isPrivate: true })).toBe('WEBHOOK_REFUSED')
    expect(await code({ url: url('/'), isPrivate: true })).toBe('204')
  })

  it('is acknowledged by whoever may, and by nobody of another tenant', async () => {
    const [{ id }] = await alerts()
    const send = async (as = admin) =>
      (
        await stand.ask(
          'mutation ($id: ID!) { acknowledgeAlert(input: { id: $id }) { ... on AcknowledgeAlertPayload { alert { state acknowledgedBy } } ... on Error { code } } }',
          { id },
          as,
        )
      ).acknowledgeAlert
    expect(await send(stranger)).toEqual({ code: 'NOT_FOUND' })
    expect(await send()).toEqual({ alert: { state: 'ACKNOWLEDGED', acknowledgedBy: 'ada' } })
  })

  it('resolves once it is well within its bounds again, and not before', async () => {
    await record(range(1, 30), false)
    expect((await stand.monitor()).toy!.events).toEqual([]) // still out of bounds
    await record(range(1, 100), false)
    expect((await stand.monitor()).toy!.events).toEqual(['RESOLVED PERFORMANCE'])
    expect((await alerts())[0].state).toBe('RESOLVED')
  })

  it('names the input that drifts, once, and trains again where the model file says so', async () => {
    await stand.database.query('UPDATE toy SET x = x + 3 WHERE id > 600')
    await stand.serve(range(601, 300))
    const { toy } = await stand.monitor()
    expect(toy!.events).toEqual(['OPENED DRIFT'])
    expect(toy!.retrainings).toHaveLength(1)
    expect((await stand.monitor()).toy).toMatchObject({ events: [], retrainings: [] })
    const [alert] = (await stand.ask(ALERTS, { states: ['OPEN'] })).alerts.nodes
    expect(alert.breaches.map(({ name }: { name: string }) => name)).toContain('x')
    expect(alert.breaches.map(({ name }: { name: string }) => name)).not.toContain('colour')
    const job = await stand.jobs.get(toy!.retrainings[0]!)
    expect(job.input).toMatchObject({ model: 'toy', promote: 'if-better' })
    const ended = await stand.jobs.ended(job.id)
    expect(ended.state).toBe('SUCCEEDED')
    const [run] = await stand.registry.runs.list('training', 'toy', 1)
    expect((run!.report as { why: string }).why).toMatch(/./)
  })

  it('follows events from a cursor without gap or repeat, stored ones first', async () => {
    const follow = async (after: string | undefined, count: number) => {
      const stream = (await subscribe({
        schema: stand.schema,
        document: parse(
          'subscription ($after: String) { alertEvents(after: $after) { cursor ... on AlertMoved { move rule } ... on AlertsRefused { code } } }',
        ),
        variableValues: { after },
        contextValue: stand.context(),
      })) as AsyncIterableIterator<ExecutionResult>
      const events = []
      while (events.length < count) events.push((await stream.next()).value.data.alertEvents)
      await stream.return?.()
      return events
    }
    const all = await follow('0', 4)
    expect(all.map(({ move, rule }) => `${move} ${rule}`)).toEqual([
      'OPENED PERFORMANCE',
      'ACKNOWLEDGED PERFORMANCE',
      'RESOLVED PERFORMANCE',
      'OPENED DRIFT',
    ])
    expect(await follow(all[1].cursor, 2)).toEqual(all.slice(2))
    const live = follow(undefined, 1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const [{ id }] = (await stand.ask(ALERTS, { states: ['OPEN'] })).alerts.nodes
    await stand.ask('mutation ($id: ID!) { acknowledgeAlert(input: { id: $id }) { __typename } }', { id })
    expect(await live).toMatchObject([{ move: 'ACKNOWLEDGED', rule: 'DRIFT' }])
    expect(await follow('not a cursor', 1)).toMatchObject([{ code: 'BAD_USER_INPUT' }])
  })

  it('tells when a version keeps much to itself, and when predictions fail', async () => {
    await stand.database.query('UPDATE toy SET x = NULL, colour = NULL WHERE id BETWEEN 901 AND 1200')
    await stand.serve(range(901, 300))
    expect((await stand.monitor()).toy!.events).toEqual(['OPENED ABSTENTION'])
    isBroken = true
    await stand.serve(range(1, 200))
    isBroken = false
    expect((await stand.monitor()).toy!.events).toEqual(['OPENED ERRORS'])
    const { nodes } = (await stand.ask(ALERTS, { states: ['OPEN'] })).alerts
    expect(nodes.slice(0, 2)).toMatchObject([
      { rule: 'ERRORS', rows: 1100, breaches: [{ name: 'errors', bound: 0.05 }] },
      { rule: 'ABSTENTION', breaches: [{ name: 'abstention', bound: 0.2 }] },
    ])
  })
})
