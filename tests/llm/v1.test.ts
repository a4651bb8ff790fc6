import OpenAI from 'openai'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import { type CompletionStand, openCompletionStand } from './completion-stand.ts'
import { type LlmGraph, openLlmGraph } from './llm-graph.ts'
import type { Behaviour } from './provider-server/behaviour.ts'

let database: Database
let stand: CompletionStand
let graph: LlmGraph
let behaviour: Behaviour = {}
let client: OpenAI
beforeAll(async () => {
  database = await openTestDatabase()
  stand = await openCompletionStand(database)
  const llm = stand.open(
    [() => behaviour],
    { graceMs: 60_000 },
    {
      capabilities: { text: true, embeddings: true, tools: true, images: true, json: true },
    },
  )
  graph = await openLlmGraph(llm, async () => {
    throw new Error('not asked here')
  })
  client = new OpenAI({ baseURL: `${graph.url}/v1`, apiKey: 'ann', maxRetries: 0 })
})
afterAll(async () => {
  await graph.close()
  await stand.close()
  await database.close()
})

const messages = [{ role: 'user' as const, content: 'How many?' }]
const tools = [
  { type: 'function' as const, function: { name: 'look', parameters: { type: 'object', properties: {} } } },
]

it('answers the official client', async () => {
  behaviour = {}
  const { choices, usage } = await client.chat.completions.create({ model: 'auto', messages })
  expect(choices[0]).toMatchObject({
    message: { role: 'assistant', content: 'The answer is forty-two.' },
    finish_reason: 'stop',
  })
  expect(usage).toMatchObject({ completion_tokens: 5 })
})

it('streams to it, with usage at the end', async () => {
  behaviour = { tokens: 30, everyMs: 3 }
  const stream = await client.chat.completions.create({
    model: 'auto',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  let tokens = 0
  const reasons: (string | null)[] = []
  for await (const { choices, usage } of stream) {
    text += choices[0]?.delta.content ?? ''
    if (choices[0]?.finish_reason) reasons.push(choices[0].finish_reason)
    tokens = usage?.completion_tokens ?? tokens
  }
  expect(text).toBe(Array.from({ length: 30 }, (_, index) => `t${index} `).join(''))
  expect([reasons, tokens]).toEqual([['stop'], 30])
})

it('passes tools and their answers on', async () => {
  behaviour = { toolCalls: [{ name: 'look', arguments: { at: 'this' } }] }
  const asked = await client.chat.completions.create({ model: 'auto', messages, tools })
  const [call] = asked.choices[0]!.message.tool_calls!
  expect(call).toMatchObject({ type: 'function', function: { name: 'look', arguments: '{"at":"this"}' } })
  expect(asked.choices[0]!.finish_reason).toBe('tool_calls')
  const stream = await client.chat.completions.create({ model: 'auto', messages, tools, stream: true, seed: 2 })
  const deltas = []
  for await (const { choices } of stream) deltas.push(...(choices[0]?.delta.tool_calls ?? []))
  expect(deltas).toMatchObject([{ index: 0, function: { name: 'look' } }])
  behaviour = {}
  await client.chat.completions.create({
    model: 'auto',
    tools,
    messages: [...messages, asked.choices[0]!.message, { role: 'tool', tool_call_id: call!.id, content: 'nothing' }],
  })
  expect(stand.server.calls.at(-1)!.body.messages.at(-1)).toMatchObject({ role: 'tool', content: 'nothing' })
})

it('lists models and embeds', async () => {
  const { data } = await client.models.list()
  expect(data[0]!.id).toBe('auto')
  const name = data[1]!.id
  expect((await client.models.retrieve(name)).id).toBe(name)
  const one = await client.embeddings.create({ model: name, input: ['a word', 'another'] })
  const plain = await client.embeddings.create({ model: name, input: 'a word', encoding_format: 'float' })
  expect(one.data).toHaveLength(2)
  expect(one.data[0]!.embedding.length).toBe(plain.data[0]!.embedding.length)
  for (const [index, value] of plain.data[0]!.embedding.entries())
    expect(one.data[0]!.embedding[index]).toBeCloseTo(value, 5)
})

it('refuses as existing clients expect', async () => {
  await expect(client.chat.completions.create({ model: 'nobody', messages })).rejects.toMatchObject({ status: 404 })
  await expect(client.chat.completions.create({ model: 'auto', messages, temperature: 9 })).rejects.toMatchObject({
    status: 400,
  })
  await expect(client.chat.completions.create({ model: 'auto', messages: [] })).rejects.toThrow('messages')
  const image = [
    { role: 'user' as const, content: [{ type: 'image_url' as const, image_url: { url: 'http://169.254.169.254/' } }] },
  ]
  await expect(client.chat.completions.create({ model: 'auto', messages: image })).rejects.toMatchObject({
    status: 400,
  })
  const stranger = (apiKey: string) => new OpenAI({ baseURL: `${graph.url}/v1`, apiKey, maxRetries: 0 })
  await expect(stranger('bob@default:jobs.read').models.list()).rejects.toMatchObject({ status: 403 })
  await expect(fetch(`${graph.url}/v1/models`).then(({ status }) => status)).resolves.toBe(401)
  const form = await fetch(`${graph.url}/v1/chat/completions`, {
    method: 'POST',
    body: '{}',
    headers: { authorization: 'Bearer ann' },
  })
  expect(form.status).toBe(400)
  behaviour = { status: 400 }
  await expect(client.chat.completions.create({ model: 'auto', messages, seed: 3 })).rejects.toMatchObject({
    status: 400,
  })
  behaviour = { tokens: 9, dieAt: 4 }
  await expect(client.chat.completions.create({ model: 'auto', messages, seed: 4 })).rejects.toMatchObject({
    status: 502,
  })
  const stream = await client.chat.completions.create({ model: 'auto', messages, seed: 5, stream: true })
  await expect(Array.fromAsync(stream)).rejects.toThrow('broke in the middle')
})

it('ends the call of a client that aborts, within a second', async () => {
  behaviour = { tokens: 5_000, everyMs: 5 }
  const stream = await client.chat.completions.create({ model: 'auto', messages, stream: true, seed: 6 })
  const at = Date.now()
  for await (const { choices } of stream) if (choices[0]?.delta.content) break
  const call = stand.server.calls.at(-1)!
  while (call.endedBy === null && Date.now() - at < 3_000) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(call.endedBy).toBe('client')
  expect(call.endedAt! - at).toBeLessThan(1_000)
})

it('gives the same answer to a request that is repeated with its idempotency key', async () => {
  behaviour = {}
  const before = stand.server.calls.length
  const options = { headers: { 'idempotency-key': 'once' } }
  const one = await client.chat.completions.create({ model: 'auto', messages, seed: 7 }, options)
  const other = await client.chat.completions.create({ model: 'auto', messages, seed: 7 }, options)
  expect(other.choices).toEqual(one.choices)
  expect(stand.server.calls.length).toBe(before + 1)
})
