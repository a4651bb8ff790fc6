import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CompletionEvent } from '../../llm/completion.ts'
import { createLlm, type Llm } from '../../llm/engine.ts'
import type { RemoteKind } from '../../llm/providers/remote.ts'
import { createRemoteProvider } from '../../llm/providers/remote.ts'
import { createWire } from '../../llm/providers/wire.ts'
import type { BatchTerms } from '../../llm/target.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { ask, readAll, textOf, viewerOf } from './completion-stand.ts'
import { type ProviderServer, type Script, startProviderServer } from './provider-server/server.ts'
import { routerOf, targetOf } from './stand.ts'

let database: Database
let server: ProviderServer
const wire = createWire({ isLocal: true })
const ann = viewerOf('ann')
beforeAll(async () => {
  database = await openTestDatabase()
  server = await startProviderServer()
})
afterAll(async () => {
  wire.close()
  await server.close()
  await database.close()
})

let count = 0
const opened: Llm[] = []
afterAll(() => Promise.all(opened.map((llm) => llm.close())))
const terms = { discount: 0.5, gatherMs: 30, most: 100, pollMs: 10 }

/** An engine whose only target has a provider with a batch interface. */
function open(kind: RemoteKind, script: Script, llm = `batch-llm-${++count}`, batch: Partial<BatchTerms> = {}) {
  server.script(llm, script)
  const provider = createRemoteProvider(kind, { name: kind, wire, apiKey: 'test-key', baseUrl: `${server.url}/v1` })
  const router = routerOf([targetOf(llm, provider, { batch: { ...terms, ...batch } })])
  const openRouter = async () => ({ router })
  const engine = createLlm({ database, log: silent, openRouter, perMinute: 10_000, graceMs: 0, cacheSeconds: 0 })
  opened.push(engine)
  return { engine, llm }
}
const paths = (from: number) =>
  server.calls.slice(from).map(({ path }) => path.replace(/(batch_|file-|out_|err_)\w+/g, '$1'))
const patiently = (engine: Llm, options: Parameters<typeof ask>[0] = {}, request: Parameters<typeof ask>[1] = {}) =>
  engine.completions.ask(ask({ priority: 'batch', ...options }, request), ann).then(readAll)
const endOf = (events: readonly CompletionEvent[]) => events.at(-1)!
const settlements = async (completionId: string) => {
  const { rows } = await database.query<{ entry: string; amountUsd: string; outcome: string }>(
    'SELECT entry, "amountUsd", outcome FROM inkling."BudgetLedger" WHERE "completionId" = $1 ORDER BY sequence',
    [completionId],
  )
  return rows.map(({ entry, amountUsd, outcome }) => ({ entry, usd: Number(amountUsd), outcome }))
}
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('It did not come to hold in time')
}
const isSent = async (id: string) =>
  (await database.query('SELECT FROM inkling."Completion" WHERE id = $1 AND batch IS NOT NULL', [id])).rowCount > 0

for (const kind of ['openai', 'anthropic'] as const) {
  describe(`requests that may wait, at ${kind}`, () => {
    it('are sent together, each gets its own answer in whatever order they come back, and cost what the discount leaves', async () => {
      const { engine } = open(
        kind,
        ({ body }) => ({
          text: [`You asked: ${JSON.stringify(body).match(/number \d/)![0]}`],
          batch: { looks: 2 },
        }),
        undefined,
        { most: 4, gatherMs: 60_000 },
      )
      const from = server.calls.length
      const numbers = [1, 2, 3, 4]
      const answers = await Promise.all(
        numbers.map((number) =>
          patiently(engine, {
            id: `${kind}-${number}`,
            request: {
              messages: [{ role: 'user', content: [{ type: 'text', text: `number ${number}` }] }],
              maxTokens: 100,
            },
          }),
        ),
      )
      expect(answers.map(textOf)).toEqual(numbers.map((number) => `You asked: number ${number}`))
      expect(paths(from).filter((path) => path.endsWith('/batches'))).toHaveLength(1)
      expect(paths(from).filter((path) => /completions$|messages$/.test(path))).toEqual([])
      const end = endOf(answers[0]!)
      expect(end).toMatchObject({ type: 'FINISHED', finishReason: 'STOP', usage: { inputTokens: 2, outputTokens: 1 } })
      const full = (2 * 1 + 1 * 4) / 1e6
      expect(end).toMatchObject({ costUsd: full / 2 })
      expect((await settlements(`${kind}-1`)).at(-1)).toMatchObject({
        entry: 'SETTLED',
        usd: full / 2,
        outcome: 'COMPLETE',
      })
    })

    it('that come back with an error are tried again, and only those', async () => {
      let tries = 0
      const script: Script = ({ body }) =>
        JSON.stringify(body).includes('unlucky') && tries++ === 0 ? { status: 500 } : { text: ['well'] }
      const { engine } = open(kind, script, undefined, { most: 2, gatherMs: 300 })
      const from = server.calls.length
      const [lucky, unlucky] = await Promise.all([
        patiently(engine),
        patiently(engine, {
          request: { messages: [{ role: 'user', content: [{ type: 'text', text: 'unlucky' }] }], maxTokens: 10 },
        }),
      ])
      expect([textOf(lucky!), textOf(unlucky!)]).toEqual(['well', 'well'])
      expect(paths(from).filter((path) => path.endsWith('/batches'))).toHaveLength(2)
    })

    it('that the provider refuses fail, and cost nothing', async () => {
      const { engine } = open(kind, { status: 400 })
      const events = await patiently(engine, { id: `${kind}-refused` })
      expect(endOf(events)).toMatchObject({ type: 'FAILED', error: { code: 'LLM_REQUEST_REJECTED' } })
      expect((await settlements(`${kind}-refused`)).at(-1)).toMatchObject({ usd: 0, outcome: 'FAILED' })
    })

    it('whose batch expires are asked again until patience ends; those that were answered in time have their answers', async () => {
      const { engine } = open(kind, { text: ['in time'], batch: { expiresAfter: 1 } })
      const answers = await Promise.all([patiently(engine), patiently(engine), patiently(engine)])
      // Each round answers one more.
      expect(answers.map(textOf)).toEqual(['in time', 'in time', 'in time'])
      const { engine: never } = open(kind, { text: ['x'], batch: { expiresAfter: 0 } })
      expect(endOf(await patiently(never))).toMatchObject({ type: 'FAILED', error: { code: 'LLM_UNAVAILABLE' } })
    })

    it('that nobody wants any more cancel their batch, and are charged what they may have cost', async () => {
      const { engine } = open(kind, { batch: { looks: 1_000_000 } })
      const from = server.calls.length
      const id = `${kind}-stopped`
      const reading = patiently(engine, { id }, { maxTokens: 50 })
      await until(() => isSent(id))
      await engine.completions.stop(id, ann)
      expect(endOf(await reading)).toMatchObject({ type: 'FINISHED', finishReason: 'STOPPED' })
      await until(() => paths(from).some((path) => path.endsWith('/cancel')))
      const [, settled] = await settlements(id)
      expect(settled).toMatchObject({ entry: 'SETTLED', outcome: 'ABORTED' })
      expect(settled!.usd).toBeGreaterThanOrEqual((50 * 4 * terms.discount) / 1e6)
    })
  })
}

describe('a request that may wait', () => {
  it('goes on without a reader once it has been sent', async () => {
    const { engine } = open('openai', { text: ['later'], batch: { looks: 20 } })
    const reader = await engine.completions.ask(ask({ id: 'alone', priority: 'batch' }), ann)
    await until(() => isSent('alone'))
    await reader.return()
    expect(await engine.completions.ended('alone', ann)).toMatchObject({ state: 'FINISHED', text: 'later' })
  })

  it('is collected by the process that comes after the one that sent it, and paid once', async () => {
    const looks = 1_000_000
    const { engine: first, llm } = open('anthropic', { batch: { looks } })
    const question = ask({ id: 'survivor', priority: 'batch' })
    const reading = first.completions.ask(question, ann).then(readAll)
    await until(() => isSent('survivor'))
    const from = server.calls.length
    await first.close()
    expect(endOf(await reading)).toMatchObject({ type: 'FAILED', error: { code: 'COMPLETION_ELSEWHERE' } })
    expect(paths(from).filter((path) => path.endsWith('/cancel'))).toEqual([])
    expect(await settlements('survivor')).toHaveLength(1)

    const row = async () =>
      (
        await database.query<{ batch: { batchId: string } }>(
          `SELECT batch FROM inkling."Completion" WHERE id = 'survivor'`,
        )
      ).rows[0]!
    await fetch(`${server.url}/v1/messages/batches/${(await row()).batch.batchId}/cancel`, {
      method: 'POST',
      body: '{}',
    })
    const { engine: second } = open('anthropic', {}, llm)
    expect(endOf(await readAll(await second.completions.ask(question, ann)))).toMatchObject({ type: 'FAILED' })
    expect(await settlements('survivor')).toMatchObject([
      { entry: 'RESERVED' },
      { entry: 'SETTLED', usd: 0, outcome: 'FAILED' },
    ])
  })

  it('has its answer collected by whoever follows it', async () => {
    const { engine: first, llm } = open('openai', { text: ['an ', 'answer'], batch: { looks: 30 } })
    void first.completions.ask(ask({ id: 'followed', priority: 'batch' }), ann).then(readAll)
    await until(() => isSent('followed'))
    await first.close()
    const { engine: second } = open('openai', {}, llm)
    const [one, other] = await Promise.all([
      second.completions.follow('followed', ann),
      second.completions.follow('followed', ann),
    ])
    const events = await readAll(one!)
    expect(textOf(events)).toBe('an answer')
    expect(textOf(await readAll(other!))).toBe('an answer')
    expect(endOf(events)).toMatchObject({ type: 'FINISHED', finishReason: 'STOP', usage: { outputTokens: 2 } })
    expect(await second.completions.find('followed', ann)).toMatchObject({ state: 'FINISHED', text: 'an answer' })
    const entries = await settlements('followed')
    expect(entries.map(({ entry }) => entry)).toEqual(['RESERVED', 'SETTLED'])
    expect(entries[1]!.usd).toBeGreaterThan(0)
  })

  it('fails, and costs nothing, when its batch is refused as a whole', async () => {
    const { engine } = open('openai', { text: ['never'], batch: { isRefused: true } })
    expect(endOf(await patiently(engine, { id: 'all-refused' }))).toMatchObject({ type: 'FAILED' })
    expect((await settlements('all-refused')).at(-1)).toMatchObject({ usd: 0, outcome: 'FAILED' })
  })

  it('goes by itself where the provider has no batch interface, and where it asks for what batches do not take', async () => {
    const from = server.calls.length
    const { engine } = open('openai-compatible', { text: ['alone'] })
    expect(textOf(await patiently(engine))).toBe('alone')
    const { engine: openai } = open('openai', { text: ['{}'] })
    expect(textOf(await patiently(openai, {}, { responseFormat: { name: 'x', schema: null } }))).toBe('{}')
    expect(paths(from)).toEqual(['/v1/chat/completions', '/v1/chat/completions'])
  })
})
