import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Llm } from '../../llm/engine.ts'
import { Transcript } from '../../llm/transcript.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import {
  ask,
  type CompletionStand,
  isGapless,
  openCompletionStand,
  readAll,
  textOf,
  viewerOf,
} from './completion-stand.ts'

let database: Database
let stand: CompletionStand
const ann = viewerOf('ann')
beforeAll(async () => {
  database = await openTestDatabase()
  stand = await openCompletionStand(database)
})
afterAll(async () => {
  await stand.close()
  await database.close()
})

const whole = (n: number) => Array.from({ length: n }, (_, index) => `t${index} `).join('')
const lastCall = () => stand.server.calls.at(-1)!
async function settled(completionId: string) {
  const { rows } = await database.query<{ entry: string; amountUsd: string; outputTokens: number; outcome: string }>(
    'SELECT * FROM inkling."BudgetLedger" WHERE "completionId" = $1 ORDER BY sequence',
    [completionId],
  )
  return rows.map(({ entry, outcome, outputTokens }) => ({ entry, outcome, outputTokens }))
}
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('It did not come to hold in time')
}

describe('a completion', () => {
  it('starts, gives its first token at once and later ones joined, and finishes with real usage', async () => {
    const llm = stand.open([{ tokens: 60, everyMs: 2 }])
    const events = await readAll(await llm.completions.ask(ask({ id: 'joined' }), ann))
    expect(events[0]).toMatchObject({ type: 'STARTED', source: 'CALL', label: null, sequence: 1 })
    expect(events[1]).toMatchObject({ type: 'TOKENS', text: expect.stringMatching(/^t0 /) })
    expect(textOf(events)).toBe(whole(60))
    expect(isGapless(events)).toBe(true)
    expect(events.length).toBeLessThan(40)
    expect(events.at(-1)).toMatchObject({
      type: 'FINISHED',
      finishReason: 'STOP',
      usage: { outputTokens: 60 },
    })
    const row = await llm.completions.find('joined', ann)
    expect(row).toMatchObject({ state: 'FINISHED', text: whole(60), finishReason: 'STOP', usage: { outputTokens: 60 } })
    expect(await settled('joined')).toEqual([
      { entry: 'RESERVED', outcome: 'OPEN', outputTokens: 0 },
      { entry: 'SETTLED', outcome: 'COMPLETE', outputTokens: 60 },
    ])
  })

  it('tells tool calls in their place, also when it is read again from its row', async () => {
    const llm = stand.open([{ text: ['Let me ', 'look.'], toolCalls: [{ name: 'look', arguments: { at: 'this' } }] }])
    const tools = [{ name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } }]
    const input = ask({ id: 'tools' }, { tools })
    const live = await readAll(await llm.completions.ask(input, ann))
    expect(live.find(({ type }) => type === 'TOOL')).toMatchObject({
      call: { name: 'look', argumentsJson: '{"at":"this"}' },
    })
    expect(live.at(-1)).toMatchObject({ finishReason: 'TOOL_CALLS' })
    const elsewhere = stand.open([{}])
    const again = await readAll(await elsewhere.completions.ask(input, ann))
    expect(textOf(again)).toBe('Let me look.')
    expect(isGapless(again)).toBe(true)
    expect(again.at(-1)!.sequence).toBe(live.at(-1)!.sequence)
    const rest = await readAll(await elsewhere.completions.follow('tools', ann, 5))
    expect(textOf(rest)).toBe('me look.')
    expect(isGapless(rest, 5)).toBe(true)
  })

  it('is joined by whoever asks again with its id, and paid once', async () => {
    const llm = stand.open([{ tokens: 20, everyMs: 5 }])
    const input = ask({ id: 'twice' })
    const before = stand.server.calls.length
    const [one, other, late] = await Promise.all([
      llm.completions.ask(input, ann).then(readAll),
      llm.completions.ask(input, ann).then(readAll),
      llm.completions.ask(input, ann, 7).then(readAll),
    ])
    expect(textOf(one)).toBe(whole(20))
    expect(textOf(other)).toBe(whole(20))
    expect(textOf(late)).toBe(whole(20).slice(6))
    expect(isGapless(late, 7)).toBe(true)
    const after = await readAll(await llm.completions.ask(input, ann))
    expect(textOf(after)).toBe(whole(20))
    expect(stand.server.calls.length).toBe(before + 1)
    await expect(llm.completions.ask(ask({ id: 'twice' }), ann)).rejects.toMatchObject({ code: 'COMPLETION_STATE' })
  })

  it('of another viewer or tenant looks like a missing one', async () => {
    const llm = stand.open([{}])
    await readAll(await llm.completions.ask(ask({ id: 'mine' }), ann))
    const texts = new Set<string>()
    for (const viewer of [viewerOf('bob'), viewerOf('ann', 'other')]) {
      for (const act of [llm.completions.follow, llm.completions.stop, llm.completions.ended]) {
        await act('mine', viewer).catch(({ code, message }) => texts.add(`${code} ${message}`))
      }
      await llm.completions
        .follow('not there', viewer)
        .catch(({ code, message }) => texts.add(`${code} ${message.replace('not there', 'mine')}`))
      expect(await llm.completions.find('mine', viewer)).toBeNull()
    }
    expect([...texts]).toEqual(['NOT_FOUND There is no completion "mine".'])
  })

  it('is stopped within a second, and what it used is paid', async () => {
    const llm = stand.open([{ tokens: 2_000, everyMs: 5 }])
    const reader = await llm.completions.ask(ask({ id: 'stopped' }), ann)
    await reader.next()
    await reader.next()
    const at = Date.now()
    const row = await llm.completions.stop('stopped', ann)
    await until(() => lastCall().endedBy === 'client')
    expect(lastCall().endedAt! - at).toBeLessThan(1_000)
    expect(row).toMatchObject({ state: 'FINISHED', finishReason: 'STOPPED' })
    expect(row.usage.outputTokens).toBeGreaterThan(0)
    const events = await readAll(reader)
    expect(events.at(-1)).toMatchObject({ type: 'FINISHED', finishReason: 'STOPPED' })
    expect((await settled('stopped')).at(-1)).toMatchObject({ entry: 'SETTLED', outcome: 'ABORTED' })
  })

  it('goes on without a reader for the grace and can be resumed in it, without gap or repeat', async () => {
    const llm = stand.open([{ tokens: 80, everyMs: 5 }])
    const input = ask({ id: 'back' })
    const reader = await llm.completions.ask(input, ann)
    const seen = []
    for (let n = 0; n < 4; n++) seen.push((await reader.next()).value!)
    await reader.return()
    await new Promise((resolve) => setTimeout(resolve, 60))
    const rest = await readAll(await llm.completions.ask(input, ann, seen.at(-1)!.sequence))
    expect(textOf(seen) + textOf(rest)).toBe(whole(80))
    expect(isGapless([...seen, ...rest])).toBe(true)
    expect((await settled('back')).length).toBe(2)
  })

  it('is given up when nobody came back within the grace, and at once where there is none', async () => {
    for (const [graceMs, id] of [
      [100, 'left'],
      [0, 'left at once'],
    ] as const) {
      const llm = stand.open([{ tokens: 2_000, everyMs: 5 }], { graceMs })
      const reader = await llm.completions.ask(ask({ id: id.replaceAll(' ', '-') }), ann)
      await reader.next()
      await reader.next()
      const at = Date.now()
      await reader.return()
      await until(() => lastCall().endedBy === 'client')
      expect(lastCall().endedAt! - at).toBeLessThan(1_000 + graceMs)
      const row = await llm.completions.ended(id.replaceAll(' ', '-'), ann)
      expect(row).toMatchObject({ finishReason: 'ABANDONED' })
      expect(row.usage.outputTokens).toBeGreaterThan(0)
    }
  })

  it('that dies in the middle is told INCOMPLETE, with its text, and settled', async () => {
    const llm = stand.open([{ tokens: 30, dieAt: 10 }, {}])
    const events = await readAll(await llm.completions.ask(ask({ id: 'dead' }), ann))
    expect(textOf(events)).toBe(whole(10))
    expect(events.at(-1)).toMatchObject({ type: 'FINISHED', finishReason: 'INCOMPLETE' })
    expect(await llm.completions.find('dead', ann)).toMatchObject({ finishReason: 'INCOMPLETE', text: whole(10) })
    expect((await settled('dead')).at(-1)).toMatchObject({ entry: 'SETTLED', outcome: 'INCOMPLETE' })
  })

  it('that nobody could answer fails as an event, costs nothing, and may be asked again', async () => {
    const llm = stand.open([[{ status: 400 }, {}]])
    const input = ask({ id: 'again' })
    const failed = await readAll(await llm.completions.ask(input, ann))
    expect(failed).toMatchObject([{ type: 'FAILED', sequence: 1, error: { code: 'LLM_REQUEST_REJECTED' } }])
    expect(textOf(await readAll(await llm.completions.ask(input, ann)))).toBe('The answer is forty-two.')
    expect(await llm.completions.find('again', ann)).toMatchObject({ state: 'FINISHED', error: null })
  })

  it('whose process is gone is never paid again under its id', async () => {
    const llm = stand.open([{ tokens: 500, everyMs: 5 }], { graceMs: 60_000 })
    const input = ask({ id: 'crash' })
    const reader = await llm.completions.ask(input, ann)
    await reader.next()
    const before = stand.server.calls.length
    const restarted = stand.open([{}])
    const [event] = await readAll(await restarted.completions.ask(input, ann))
    const code = database.embedded ? 'COMPLETION_LOST' : 'COMPLETION_ELSEWHERE'
    expect(event).toMatchObject({ type: 'FAILED', error: { code } })
    expect(await readAll(await restarted.completions.follow('crash', ann))).toMatchObject([{ error: { code } }])
    expect(stand.server.calls.length).toBe(before)
    await llm.completions.stop('crash', ann)
  })

  it('is refused when its viewer asks too often', async () => {
    const llm = stand.open([{}], { perMinute: 2 })
    await readAll(await llm.completions.ask(ask(), ann))
    await readAll(await llm.completions.ask(ask(), ann))
    await expect(llm.completions.ask(ask(), ann)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    await readAll(await llm.completions.ask(ask(), viewerOf('bob')))
  })

  it('is refused by a budget before anybody is called', async () => {
    const poor = viewerOf('poor', 'poor')
    const llm = stand.open([{}, {}])
    await llm.budgets.set({ scope: 'VIEWER', period: 'DAY', limitUsd: 0.000001 }, poor)
    const before = stand.server.calls.length
    const events = await readAll(await llm.completions.ask(ask(), poor))
    expect(events).toMatchObject([{ type: 'FAILED', error: { code: 'BUDGET_EXCEEDED' } }])
    expect(stand.server.calls.length).toBe(before)
  })

  it.each([
    ['an id', ask({ id: 'no spaces' })],
    ['no messages', { request: { messages: [] } }],
    ['maxTokens', ask({}, { maxTokens: -1 })],
    ['temperature', ask({}, { temperature: Number.NaN })],
    [
      'an image by address',
      {
        request: {
          messages: [
            {
              role: 'user' as const,
              content: [{ type: 'image' as const, mediaType: 'image/png', base64: 'https://x' }],
            },
          ],
        },
      },
    ],
  ])('with %s that is none is refused', async (_what, input) => {
    await expect(stand.open([{}]).completions.ask(input, ann)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
  })
})

describe('equal questions', () => {
  let llm: Llm
  beforeAll(() => {
    llm = stand.open([{ tokens: 10, everyMs: 5 }])
  })

  it('share one call while it runs and one answer afterwards, when they are asked without temperature', async () => {
    const input = ask({}, { temperature: 0 })
    const before = stand.server.calls.length
    const asked = await Promise.all(Array.from({ length: 5 }, () => llm.completions.ask(input, ann)))
    const answers = await Promise.all(asked.map(readAll))
    for (const events of answers) expect(textOf(events)).toBe(whole(10))
    const costs = answers.map((events) => (events.at(-1) as { costUsd: number }).costUsd)
    expect(costs.filter((cost) => cost > 0)).toHaveLength(1)
    const later = await readAll(await llm.completions.ask(input, ann))
    expect(later[0]).toMatchObject({ type: 'STARTED', source: 'CACHE' })
    expect(later.at(-1)).toMatchObject({ costUsd: 0, finishReason: 'STOP' })
    expect(textOf(later)).toBe(whole(10))
    expect(stand.server.calls.length).toBe(before + 1)
  })

  it('go on for the others when one of them is stopped', async () => {
    const input = ask({}, { temperature: 0 })
    const first = await llm.completions.ask({ ...input, id: 'leader' }, ann)
    await first.next()
    const second = await llm.completions.ask(input, ann)
    await llm.completions.stop('leader', ann)
    expect(textOf(await readAll(second))).toBe(whole(10))
    expect((await readAll(first)).at(-1)).toMatchObject({ finishReason: 'STOPPED' })
  })

  it('are kept apart by tenant, by viewer while under way, and by everything that changes the answer', async () => {
    const input = ask({}, { temperature: 0 })
    const before = stand.server.calls.length
    await Promise.all([
      llm.completions.ask(input, ann).then(readAll),
      llm.completions.ask(input, viewerOf('ann', 'other')).then(readAll),
      llm.completions.ask({ ...input, request: { ...input.request, seed: 1 } }, ann).then(readAll),
      llm.completions.ask({ ...input, request: { ...input.request, temperature: 1 } }, ann).then(readAll),
    ])
    expect(stand.server.calls.length).toBe(before + 4)
  })
})

describe('readers', () => {
  it('hold the writer back as long as none of them is near, and let it go when one comes nearer', async () => {
    const transcript = new Transcript({ id: 'x', joinMs: () => 1 })
    transcript.start({ target: 'a', label: null, source: 'CALL' })
    expect(transcript.room()).toBeNull()
    const reader = transcript.read()
    for (let n = 0; n < 40; n++) {
      transcript.addText('x'.repeat(8_192))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    let isFree = false
    const waiting = transcript.room()!.then(() => {
      isFree = true
    })
    await reader.next()
    expect(isFree).toBe(false)
    while (!isFree) await reader.next()
    await waiting
    await reader.return()
  })

  it('get whole characters, whatever the provider tore', async () => {
    const transcript = new Transcript({ id: 'x', joinMs: () => 1 })
    const reader = transcript.read()
    for (const unit of ['😀'[0]!, '😀'[1]!, 'a', '😀'[0]!]) transcript.addText(unit)
    transcript.finish({} as never)
    expect(textOf(await readAll(reader))).toBe('😀a\ufffd')
  })

  it('that do not read pause the provider, are cut, and resume without gap', async () => {
    const piece = 'x'.repeat(8_192)
    const llm = stand.open([{ text: Array.from({ length: 60 }, () => piece) }], { slowReaderMs: 150, graceMs: 5_000 })
    const reader = await llm.completions.ask(ask({ id: 'slow' }, { maxTokens: 95_000 }), ann)
    const first = [(await reader.next()).value!, (await reader.next()).value!]
    await new Promise((resolve) => setTimeout(resolve, 100))
    const cut = []
    await new Promise((resolve) => setTimeout(resolve, 200))
    for await (const event of reader) cut.push(event)
    expect(cut).toMatchObject([{ type: 'CUT', sequence: first[1]!.sequence }])
    const rest = await readAll(await llm.completions.follow('slow', ann, first[1]!.sequence))
    expect(textOf(first).length + textOf(rest).length).toBe(60 * 8_192)
    expect(isGapless(rest, first[1]!.sequence)).toBe(true)
  })

  it('that have gone pause the provider too, until one comes back', async () => {
    const tokens = 400
    const llm = stand.open([{ tokens, tokenChars: 1_000 }], { graceMs: 20_000 })
    const reader = await llm.completions.ask(ask({ id: 'gone' }, { maxTokens: 95_000 }), ann)
    const first = [(await reader.next()).value!, (await reader.next()).value!]
    await reader.return()
    const { sequence } = first[1]!
    // What the kernel holds is read on; the answer is not.
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await llm.completions.find('gone', ann))!.state).toBe('RUNNING')
    const rest = await readAll(await llm.completions.follow('gone', ann, sequence))
    expect(textOf(first).length + textOf(rest).length).toBe(tokens * 1_000)
    expect(isGapless(rest, sequence)).toBe(true)
  })

  it('find a long answer in its row as soon as it is over', async () => {
    const llm = stand.open([{ tokens: 100, tokenChars: 1_000 }])
    const events = await readAll(await llm.completions.ask(ask({ id: 'long' }, { maxTokens: 95_000 }), ann))
    const again = await readAll(await llm.completions.follow('long', ann))
    expect(textOf(again)).toBe(textOf(events))
    expect(again.at(-1)).toMatchObject({ type: 'FINISHED', sequence: events.at(-1)!.sequence })
    expect(isGapless(again)).toBe(true)
  })
})
