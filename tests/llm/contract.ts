import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Part, type Provider, ProviderError, type ProviderRequest, requestOf } from '../../llm/provider.ts'
import { type Behaviour, type Call, type ProviderServer, startProviderServer } from './provider-server/server.ts'

/** What a kind of provider brings to the suite. */
export interface Contender {
  readonly name: string
  /** redirected: a provider whose address nobody listens at. */
  open(url: string): Provider
  /** Where the wire format puts things. */
  readonly wire: {
    tools(call: Call): unknown
    schema(call: Call): unknown
    image(call: Call): unknown
    maxTokens(call: Call): unknown
  }
  /** Whether reasoning arrives as reasoning, and a keep-alive exists. */
  readonly hasEmbeddings: boolean
}

const never = new AbortController().signal
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

export interface Gathered {
  readonly parts: readonly Part[]
  readonly text: string
  readonly error: ProviderError | null
}

export async function gather(stream: AsyncIterable<Part>): Promise<Gathered> {
  const parts: Part[] = []
  let error: ProviderError | null = null
  try {
    for await (const part of stream) parts.push(part)
  } catch (thrown) {
    if (!(thrown instanceof ProviderError)) throw thrown
    error = thrown
  }
  return { parts, text: parts.map((part) => (part.type === 'text' ? part.text : '')).join(''), error }
}

/** What every provider that speaks over HTTP does, and how it fails. */
export function providerContract({ name, open, wire, hasEmbeddings }: Contender): void {
  describe(`the provider ${name}`, () => {
    let server: ProviderServer
    let provider: Provider
    let count = 0
    beforeAll(async () => {
      server = await startProviderServer()
      provider = open(server.url)
    })
    afterAll(() => server.close())

    const ask = (behaviour: Behaviour, request: Partial<ProviderRequest> = {}, signal = never) => {
      const llm = `llm-${++count}`
      server.script(llm, behaviour)
      return provider.stream({ ...requestOf('How many are they?'), llm, ...request }, signal)
    }
    const lastCall = () => server.calls.at(-1)!
    const failure = async (behaviour: Behaviour) => {
      const { text, error } = await gather(ask(behaviour))
      return { text, code: error?.code, status: error?.status, retryAfterMs: error?.retryAfterMs }
    }

    it('streams text and ends with a reason and the reported usage', async () => {
      const { parts, text, error } = await gather(ask({ text: ['forty', '-two', ' möwen 🐦'], cachedTokens: 1 }))
      expect(error).toBeNull()
      expect(text).toBe('forty-two möwen 🐦')
      expect(parts.at(-1)).toEqual({
        type: 'finish',
        reason: 'STOP',
        usage: { inputTokens: 4, cachedInputTokens: 1, outputTokens: 3, isEstimated: false },
      })
      expect(parts.filter(({ type }) => type === 'finish')).toHaveLength(1)
    })

    it('says why an answer is short', async () => {
      const reasonOf = async (finish: Behaviour['finish'] & string) =>
        (await gather(ask({ finish }))).parts.flatMap((part) => (part.type === 'finish' ? [part.reason] : []))
      expect(await reasonOf('length')).toEqual(['LENGTH'])
      expect(await reasonOf('contentFilter')).toEqual(['CONTENT_FILTER'])
    })

    it('passes tools on and hands over what the LLM calls, with whole arguments', async () => {
      const tools = [{ name: 'weather', description: 'The weather of a city', parameters: schema }]
      const { parts } = await gather(
        ask({ toolCalls: [{ name: 'weather', arguments: { city: 'Köln' } }] }, { tools, toolChoice: 'required' }),
      )
      expect(JSON.stringify(wire.tools(lastCall()))).toContain('"weather"')
      const [call, finish] = parts.filter(({ type }) => type !== 'text')
      expect(call).toMatchObject({ type: 'toolCall', name: 'weather' })
      expect(JSON.parse((call as { argumentsJson: string }).argumentsJson)).toEqual({ city: 'Köln' })
      expect(finish).toMatchObject({ reason: 'TOOL_CALLS' })
    })

    it('takes the results of tools back', async () => {
      const messages: ProviderRequest['messages'] = [
        { role: 'user', content: [{ type: 'text', text: 'Is it warm?' }] },
        {
          role: 'assistant',
          content: [{ type: 'toolCall', id: 'a', name: 'weather', argumentsJson: '{"city":"Köln"}' }],
        },
        { role: 'tool', content: [{ type: 'toolResult', id: 'a', name: 'weather', text: '31 degrees' }] },
      ]
      expect((await gather(ask({}, { messages }))).error).toBeNull()
      expect(JSON.stringify(lastCall().body)).toContain('31 degrees')
      expect(JSON.stringify(lastCall().body)).toContain('Köln')
    })

    it('asks for JSON of a shape', async () => {
      const { text } = await gather(
        ask({ text: ['{"city":', '"Köln"}'] }, { responseFormat: { name: 'place', schema } }),
      )
      expect(JSON.stringify(wire.schema(lastCall()))).toContain('city')
      expect(JSON.parse(text)).toEqual({ city: 'Köln' })
    })

    it('sends images as data, and the bounds of an answer', async () => {
      await gather(
        ask(
          {},
          {
            maxTokens: 77,
            temperature: 0,
            messages: [
              {
                role: 'user',
                content: [
                  { type: 'text', text: 'What is it?' },
                  { type: 'image', mediaType: 'image/png', base64: pixel },
                ],
              },
            ],
          },
        ),
      )
      expect(JSON.stringify(wire.image(lastCall()))).toContain(pixel)
      expect(wire.maxTokens(lastCall())).toBe(77)
    })

    it('survives torn characters, keep-alives and frames in any packing', async () => {
      const text = ['Grüße ', 'aus ', '東京 ', '🦑🦑', '.']
      for (const packing of [{ isTorn: true }, { keepAlive: true }, { perWrite: 3 }])
        expect((await gather(ask({ text, ...packing }))).text).toBe('Grüße aus 東京 🦑🦑.')
    })

    it('reports no usage that cannot be', async () => {
      const usageOf = async (usage: Behaviour['usage'] & (object | null)) =>
        (await gather(ask({ usage }))).parts.flatMap((part) => (part.type === 'finish' ? [part.usage] : []))
      expect(await usageOf({ output: -5 })).toEqual([null])
      expect(await usageOf({ input: 4, cached: 900 })).toEqual([null])
    })

    it('tells refusals by status', async () => {
      expect(await failure({ status: 429, retryAfter: '2' })).toMatchObject({
        code: 'RATE_LIMITED',
        status: 429,
        retryAfterMs: 2000,
      })
      expect(await failure({ status: 500 })).toMatchObject({ code: 'OVERLOADED', status: 500, retryAfterMs: null })
      expect(await failure({ status: 529 })).toMatchObject({ code: 'OVERLOADED', status: 529 })
      expect(await failure({ status: 401 })).toMatchObject({ code: 'UNAUTHORIZED', status: 401 })
      expect(await failure({ status: 404 })).toMatchObject({ code: 'UNKNOWN_LLM', status: 404 })
      expect(await failure({ status: 400 })).toMatchObject({ code: 'REJECTED', status: 400 })
    })

    it('takes a stream that breaks off for broken, whatever was said before', async () => {
      expect(await failure({ tokens: 6, dieAt: 3 })).toMatchObject({ text: 't0 t1 t2 ', code: 'TRUNCATED' })
      expect(await failure({ tokens: 6, cutAt: 3 })).toMatchObject({ text: 't0 t1 t2 ', code: 'TRUNCATED' })
      expect(await failure({ tokens: 6, cutAt: 0 })).toMatchObject({ text: '', code: 'TRUNCATED' })
      expect(await failure({ tokens: 6, dieAt: 0 })).toMatchObject({ text: '', code: 'TRUNCATED' })
    })

    it('loses nothing of what came before a connection broke', async () => {
      // Slow enough that the stream is looked at now and then, and not for each piece.
      const { text, code } = await failure({ tokens: 40, everyMs: 3, dieAt: 40 })
      expect({ text, code }).toEqual({
        text: Array.from({ length: 40 }, (_, n) => `t${n} `).join(''),
        code: 'TRUNCATED',
      })
    })

    it('tells an error frame and broken JSON in the middle', async () => {
      expect(await failure({ tokens: 6, errorFrameAt: 3 })).toMatchObject({ text: 't0 t1 t2 ', code: 'OVERLOADED' })
      expect(await failure({ tokens: 6, errorFrameAt: 0 })).toMatchObject({ text: '', code: 'OVERLOADED' })
      expect(await failure({ tokens: 6, invalidJsonAt: 3 })).toMatchObject({ text: 't0 t1 t2 ', code: 'BAD_REPLY' })
    })

    it('takes a page that is no answer for none', async () => {
      const { text, code } = await failure({ garbage: '<html><body>Bad gateway</body></html>' })
      expect(text).toBe('')
      expect(['TRUNCATED', 'BAD_REPLY']).toContain(code)
    })

    it('stops reading a reply of 100 MB', async () => {
      const before = process.memoryUsage().rss
      expect(await failure({ replyBytes: 100 * 1024 * 1024 })).toMatchObject({ text: '', code: 'TOO_LARGE' })
      expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024)
    })

    it('follows no redirect', async () => {
      const calls = server.calls.length
      expect(await failure({ redirectTo: `${server.url}/elsewhere` })).toMatchObject({ code: 'ADDRESS_REFUSED' })
      expect(server.calls.length).toBe(calls + 1)
    })

    it('says that nobody is there', async () => {
      const gone = await startProviderServer()
      await gone.close()
      const { error } = await gather(open(gone.url).stream({ ...requestOf('Hello?'), llm: 'x' }, never))
      expect(error?.code).toBe('UNREACHABLE')
    })

    it('ends the call when the signal aborts, also while the provider is silent', async () => {
      for (const behaviour of [{ tokens: 1000, everyMs: 5 }, { tokens: 6, stallAt: 2 }, { isSilent: true }]) {
        const stop = new AbortController()
        setTimeout(() => stop.abort(), 60)
        const { error } = await gather(ask(behaviour, {}, stop.signal))
        expect(error?.code).toBe('ABORTED')
        await expect.poll(() => lastCall().endedBy, { timeout: 1000, interval: 5 }).toBe('client')
      }
    })

    it('ends the call when the reader leaves', async () => {
      for await (const part of ask({ tokens: 1000, everyMs: 5 })) if (part.type === 'text') break
      await expect.poll(() => lastCall().endedBy, { timeout: 1000, interval: 5 }).toBe('client')
    })

    if (hasEmbeddings)
      it('embeds texts, one vector each', async () => {
        const { vectors } = await provider.embed!(['the cat', 'the dog', 'the cat'], 'embedder', never)
        expect(vectors).toHaveLength(3)
        expect(vectors[0]).toHaveLength(8)
        expect(vectors[0]).toEqual(vectors[2])
        expect(vectors[0]).not.toEqual(vectors[1])
      })
  })
}
