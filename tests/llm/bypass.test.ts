import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Part, requestOf } from '../../llm/provider.ts'
import { Bypass } from '../../llm/providers/bypass.ts'
import { createRemoteProvider, type RemoteKind } from '../../llm/providers/remote.ts'
import { createWire, type Wire } from '../../llm/providers/wire.ts'
import { gather } from './contract.ts'
import type { Answer, Protocol } from './provider-server/protocol.ts'
import { anthropic } from './provider-server/protocols/anthropic.ts'
import { gemini } from './provider-server/protocols/gemini.ts'
import { openai } from './provider-server/protocols/openai.ts'

const answer: Answer = {
  id: 'a',
  llm: 'x',
  behaviour: {},
  body: { stream_options: { include_usage: true } },
  usage: { input: 4, cached: 0, output: 9 },
}
const never = new AbortController().signal

/** One thing that a provider writes, after so many milliseconds. */
interface Step {
  readonly kind: 'text' | 'reasoning' | 'toolCall' | 'keepAlive' | 'invalidJson' | 'errorFrame'
  readonly text: string
  readonly afterMs: number
}

const text = fc.oneof(fc.constantFrom('a', 'b ', '"', '\\', '\n\n', '🦑', ''), fc.string({ unit: 'grapheme' }))
const step = (kinds: readonly Step['kind'][], waits: readonly number[]) =>
  fc.record({ kind: fc.constantFrom(...kinds), text, afterMs: fc.constantFrom(...waits) })
/** Text long enough to go round, and something that comes at once with more text behind it. */
const steps = fc
  .array(
    fc.tuple(
      fc.array(step(['text'], [0, 4, 6]), { minLength: 4, maxLength: 12 }),
      fc.array(step(['reasoning', 'keepAlive', 'toolCall', 'text'], [0, 0, 4]), { maxLength: 3 }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((runs): Step[] => runs.flat(2))
const faults = fc.constantFrom('invalidJson' as const, 'errorFrame' as const, 'cut' as const, null, null)

const kinds: readonly [RemoteKind, string, Protocol][] = [
  ['openai', '/v1', openai],
  ['openai-compatible', '/v1', openai],
  ['anthropic', '/v1', anthropic],
  ['gemini', '/v1beta', gemini],
]

/** Texts as one where they follow each other: how they were joined is nobody's business. */
function merged(parts: readonly Part[]): unknown[] {
  const list: { type: string; text?: string }[] = []
  for (const part of parts) {
    const last = list.at(-1)
    if (last?.type === part.type && 'text' in part) last.text += part.text
    // Gemini's and OpenAI's tools have no names of their own here: the packages invent them.
    else if (part.type === 'toolCall') list.push({ type: part.type, text: part.argumentsJson })
    else list.push({ ...part })
  }
  return list
}

describe('text that goes round a package', () => {
  let server: Server
  let url = ''
  let script: readonly Step[] = []
  let ends = true
  beforeAll(async () => {
    server = createServer(async (_request, response) => {
      const [protocol] = kinds.flatMap(([, , one]) => (one.llmOf(_request.url!, { model: 'x' }) === null ? [] : [one]))
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(protocol!.head(answer))
      let [texts, calls] = [0, 0]
      for (const { kind, text, afterMs } of script) {
        if (afterMs > 0) await sleep(afterMs)
        if (kind === 'text') response.write(protocol!.text(answer, text, texts++))
        else if (kind === 'reasoning') response.write(protocol!.reasoning(answer, text))
        else if (kind === 'toolCall')
          response.write(protocol!.toolCall(answer, { name: 'f', arguments: { text } }, calls++))
        else response.write(protocol![kind](answer))
      }
      if (ends) response.write(protocol!.tail({ ...answer, behaviour: calls > 0 ? { toolCalls: [] } : {} }))
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  for (const [kind, path, protocol] of kinds) {
    const wire = createWire({ isLocal: true, pace: { joinMs: () => 3 } })
    afterAll(() => wire.close())
    const through: string[] = []
    const seeing: Wire = {
      ...wire,
      bypass(signal) {
        const bypass = wire.bypass(signal)
        const pass = bypass.pass.bind(bypass)
        bypass.pass = (frames, enqueue) =>
          pass(frames, (events) => {
            through.push(events)
            enqueue(events)
          })
        return bypass
      },
    }
    const without: Wire = { ...wire, bypass: () => new Bypass() }
    const parts = (by: Wire) =>
      gather(
        createRemoteProvider(kind, { name: kind, wire: by, apiKey: 'k', baseUrl: url + path }).stream(
          { ...requestOf('?'), llm: 'x', tools: [{ name: 'f', description: '', parameters: { type: 'object' } }] },
          never,
        ),
      )

    it(`is what ${kind}'s makes of it, in its place among all else`, async () => {
      await fc.assert(
        fc.asyncProperty(steps, faults, async (written, fault) => {
          script = fault === null || fault === 'cut' ? written : [...written, { kind: fault, text: '', afterMs: 0 }]
          ends = fault === null
          const expected = await parts(without)
          const seen = await parts(seeing)
          expect(merged(seen.parts)).toEqual(merged(expected.parts))
          expect(seen.error?.code).toBe(expected.error?.code)
        }),
        { numRuns: 25 },
      )
    }, 60_000)

    it(`is most of an answer of ${kind}`, async () => {
      const pieces = Array.from({ length: 60 }, (_, index) => `t${index} `)
      script = pieces.map((text) => ({ kind: 'text', text, afterMs: 4 }))
      ends = true
      through.length = 0
      const { text } = await parts(seeing)
      expect(text).toBe(pieces.join(''))
      expect(through.join('')).toContain(protocol.tail(answer).slice(0, 40))
      expect(through.join('').match(/t\d+ /g)!.length).toBeLessThan(pieces.length / 2)
    })
  }
})
