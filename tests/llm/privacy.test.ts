import { afterAll, beforeAll, expect, it } from 'vitest'
import { createScreen } from '../../llm/privacy/screen.ts'
import { requestOf } from '../../llm/provider.ts'
import { type ProviderServer, startProviderServer } from './provider-server/server.ts'
import { hear, providerAt, routerOf, targetOf } from './stand.ts'

let server: ProviderServer
beforeAll(async () => {
  server = await startProviderServer()
})
afterAll(() => server.close())

// Written in pieces, so that scanners of this repository do not take them for real.
const token = `ghp_${'aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA3bC6'}`
const connection = `postgres://ada:${'s3cr3t-pw'}@db.example.com/school`
const everything = {
  secrets: 'mask',
  personal: 'mask',
  rules: ['email', 'phone', 'iban', 'creditCard', 'ipAddress'],
} as const

it('masks secrets in every piece of a request, and tells rules but no values', async () => {
  const screen = createScreen({ ...everything, rules: [] })
  const { request, findings } = await screen.request({
    messages: [
      { role: 'user', content: [{ type: 'text', text: `Use ${token} please.` }] },
      {
        role: 'assistant',
        content: [{ type: 'toolCall', id: '1', name: 'query', argumentsJson: `{"url":"${connection}"}` }],
      },
      { role: 'tool', content: [{ type: 'toolResult', id: '1', name: 'query', text: `token ${token}` }] },
    ],
  })
  expect(JSON.stringify(request)).not.toContain(token)
  expect(JSON.stringify(request)).not.toContain('s3cr3t-pw')
  expect(request.messages[0]!.content[0]).toEqual({ type: 'text', text: 'Use [secret] please.' })
  expect(findings).toContainEqual({ kind: 'SECRET', rule: 'github', count: 2, isHeuristic: false })
  expect(JSON.stringify(findings)).not.toContain('ghp_')
})

it('leaves nothing behind in the process: secretlint would keep its marks for ever', async () => {
  await createScreen({ ...everything, rules: [] }).request(requestOf('Nothing to see at https://school.example.org.'))
  expect(performance.getEntriesByType('mark').filter(({ name }) => /lint|rule/i.test(name))).toEqual([])
})

it('cannot be switched off from within a prompt', async () => {
  const screen = createScreen({ ...everything, rules: [] })
  const { request } = await screen.request(requestOf(`/* secretlint-disable */ ${token} // secretlint-disable-line`))
  expect(JSON.stringify(request)).not.toContain(token)
})

it('masks the personal data that was asked for, and calls it heuristic', async () => {
  const screen = createScreen(everything)
  const { texts, findings } = await screen.texts([
    'Write to ada.löve+x@uni.example.org or +49 (0)30 901820 today.',
    'Pay to DE89 3704 0044 0532 0130 00 with 4111 1111 1111 1111 from 192.168.7.21.',
    'No data: order 1234 5678 9012 3456, version 1.2.3, DE00 1234 5678 9012 3456 00, 300 learners at 12:30.',
  ])
  expect(texts[0]).toBe('Write to [email] or [phone] today.')
  expect(texts[1]).toBe('Pay to [iban] with [creditCard] from [ipAddress].')
  expect(texts[2]).toContain('order 1234 5678 9012 3456, version 1.2.3, DE00')
  expect(findings.every(({ isHeuristic }) => isHeuristic)).toBe(true)
  const none = await createScreen({ ...everything, rules: [] }).texts(['ada@uni.example.org'])
  expect(none).toEqual({ texts: ['ada@uni.example.org'], findings: [] })
})

it('refuses where the policy says so, without repeating what it found', async () => {
  const screen = createScreen({ ...everything, secrets: 'refuse' })
  await expect(screen.request(requestOf(token))).rejects.toMatchObject({
    code: 'SECRET_IN_PROMPT',
    message: expect.not.stringContaining('ghp_'),
  })
})

it('lets nothing past it to a provider, neither prompts nor texts to embed', async () => {
  const provider = providerAt(server.url)
  const both = { text: true, embeddings: true, tools: false, images: false, json: false }
  const targets = [targetOf('local', provider, { capabilities: both })]
  const masking = routerOf(targets, { screen: createScreen(everything) })
  await hear(masking.stream(requestOf(`My token is ${token}.`)))
  await masking.embed([`My token is ${token}.`])
  expect(server.calls).toHaveLength(2)
  expect(JSON.stringify(server.calls.map(({ body }) => body))).not.toContain(token)
  expect(JSON.stringify(server.calls[0]!.body)).toContain('My token is [secret].')
  const refusing = routerOf(targets, { screen: createScreen({ ...everything, secrets: 'refuse' }) })
  expect((await hear(refusing.stream(requestOf(token)))).error?.code).toBe('SECRET_IN_PROMPT')
  expect(server.calls).toHaveLength(2)
})

it('is not slowed down by hostile texts', async () => {
  const screen = createScreen(everything)
  const hostile = [
    'a@'.repeat(50_000),
    '+1 '.repeat(30_000),
    'DE89 '.repeat(20_000),
    '1 '.repeat(50_000),
    'https://'.repeat(15_000),
  ]
  expect((await screen.texts(hostile)).texts).toHaveLength(5)
})
