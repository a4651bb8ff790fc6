import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFrames, type Frames, written } from '../../llm/providers/frames.ts'
import type { Answer, Protocol } from './provider-server/protocol.ts'
import { anthropic } from './provider-server/protocols/anthropic.ts'
import { gemini } from './provider-server/protocols/gemini.ts'
import { openai } from './provider-server/protocols/openai.ts'

const answer: Answer = { id: 'a', llm: 'x', behaviour: {}, body: {}, usage: { input: 1, cached: 0, output: 3 } }

/** Texts whose JSON has escapes, quotes before slashes, and characters of several bytes. */
const texts = fc.array(
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('"', '\\', '\\"', '\n\n', '"delta":{"content":"')),
  { minLength: 1, maxLength: 12 },
)
const cuts = fc.array(fc.nat(), { maxLength: 6 })

const taken = (frames: Frames): string => frames.take().map(written).join('')

/** The same bytes in other pieces, looked at after each. */
function joined(wire: string, places: readonly number[] = []): string {
  const bytes = Buffer.from(wire)
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  const frames = createFrames()
  let out = ''
  let from = 0
  for (const [index, end] of ends.entries()) {
    frames.add(bytes.subarray(from, end))
    if (index % 2 === 1) out += taken(frames)
    from = end
  }
  return out + taken(frames) + frames.rest()
}

// biome-ignore lint/suspicious/noExplicitAny: the wire's own shape
type Json = any
const payloads = (wire: string): Json[] =>
  [...wire.matchAll(/^data: (\{[^\n]*\})(?=\r?\n)/gm)].map(([, json]) => JSON.parse(json as string))

const protocols: readonly [Protocol, (payload: Json) => string | undefined][] = [
  [openai, ({ choices }) => choices[0]?.delta.content],
  [anthropic, ({ delta }) => delta?.text],
  [gemini, ({ candidates }) => candidates?.[0].content?.parts?.[0]?.text],
]

describe('joined events', () => {
  for (const [protocol, textOf] of protocols) {
    it(`of ${protocol.name} say the same, however they were torn`, () => {
      fc.assert(
        fc.property(texts, cuts, (pieces, places) => {
          const wire =
            protocol.head(answer) +
            pieces.map((piece, index) => protocol.text(answer, piece, index)).join('') +
            protocol.tail(answer)
          const out = joined(wire, places)
          const [before, after] = [payloads(wire), payloads(out)]
          const whole = (list: Json[]) => list.map((payload) => textOf(payload) ?? '').join('')
          expect(whole(after)).toBe(whole(before))
          const others = (list: Json[]) => list.filter((payload) => !textOf(payload))
          expect(others(after).filter((one) => textOf(one) !== '')).toEqual(
            others(before).filter((one) => textOf(one) !== ''),
          )
        }),
        { numRuns: 200 },
      )
    })
  }

  it('become one where nothing but the text differs', () => {
    const wire = ['a', 'b', 'c'].map((piece) => openai.text(answer, piece, 1)).join('')
    expect(payloads(joined(wire)).map(({ choices }) => choices[0].delta.content)).toEqual(['abc'])
  })

  it('become one, and come at once, where lines end with a return as well, however they were torn', () => {
    const wire = ['a', 'b', 'c'].map((piece) => gemini.text(answer, piece, 1)).join('')
    for (let cut = 0; cut < wire.length; cut++) {
      const frames = createFrames()
      for (const part of [wire.slice(0, cut), wire.slice(cut)]) frames.add(Buffer.from(part))
      const out = taken(frames)
      expect(wire).toContain('\r\n\r\n')
      expect(frames.rest()).toBe('')
      expect(out.match(/"text":"\w+"/g)).toEqual(['"text":"abc"'])
    }
  })

  it('stay apart where more than the text differs', () => {
    const other = { ...answer, id: 'b' }
    const wire =
      openai.text(answer, 'a', 1) + openai.text(other, 'b', 1) + openai.keepAlive(other) + openai.text(other, 'c', 1)
    expect(joined(wire)).toBe(wire)
  })

  it('stay apart where something beside the text may be content too, though it is the same each time', () => {
    const call = '{"index":0,"function":{"arguments":"0"}}'
    const twice = [
      `data: {"id":"x","choices":[{"index":0,"delta":{"content":"","tool_calls":[${call}]}}]}\n\n`,
      'data: {"candidates":[{"content":{"parts":[{"text":"a"},{"text":"b"}]}}]}\n\n',
    ].map((event) => event + event)
    for (const wire of twice) expect(joined(wire)).toBe(wire)
  })

  it('become one where fields without a value stand beside the text', () => {
    const frame = (text: string) =>
      `data: {"choices":[{"delta":{"refusal":null,"content":"${text}","tool_calls":null}}]}\n\n`
    expect(joined(frame('a') + frame('b'))).toBe(frame('ab'))
  })

  it('of OpenAI are joined in spite of the random letters beside the text', () => {
    const frame = (text: string, noise: string) =>
      `data: {"id":"x","choices":[{"index":0,"delta":{"content":"${text}"}}],"usage":null,"obfuscation":"${noise}"}\n\n`
    const [only, ...more] = payloads(joined(frame('a', 'x1') + frame('b', 'yy') + frame('c', '')))
    expect(only.choices[0].delta.content).toBe('abc')
    expect(more).toEqual([])
  })

  it('pass on what is no event as it came', () => {
    expect(joined('<html>\r\n\r\n</html>', [3])).toBe('<html>\r\n\r\n</html>')
    expect(joined('data: {"id":"x","choices":[{"delta":{"content":\n\n')).toBe(
      'data: {"id":"x","choices":[{"delta":{"content":\n\n',
    )
  })
})
