import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfiguration } from '../../llm/configuration.ts'
import { readConfiguration } from '../../llm/configuration-file.ts'
import { configuredTargets } from '../../llm/configured-targets.ts'
import { openRouter } from '../../llm/open.ts'
import { requestOf } from '../../llm/provider.ts'
import { createWire } from '../../llm/providers/wire.ts'
import { createLog } from '../../platform/log.ts'
import { type ProviderServer, startProviderServer } from './provider-server/server.ts'
import { hear } from './stand.ts'

const folder = mkdtempSync(join(tmpdir(), 'inkling-llm-'))
let server: ProviderServer
beforeAll(async () => {
  server = await startProviderServer()
})
afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

const canary = 'canary-key-7c1f'
const keys: Record<string, string> = { OPENAI_API_KEY: canary, ANTHROPIC_API_KEY: canary, GEMINI_API_KEY: canary }
const lookup = (name: string) => keys[name]
const log = createLog('silent')
const off = { INKLING_LLM_CONFIG: undefined, INKLING_OLLAMA_URL: 'off' as const }

function fileOf(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('docs/llm.md', () => {
  const page = readFileSync(new URL('../../docs/llm.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text!)
  it('shows configurations that work, and only priced targets', async () => {
    expect(blocks.length).toBeGreaterThanOrEqual(4)
    for (const [index, block] of blocks.entries()) {
      const file = fileOf(`documented-${index}.yaml`, block)
      const { targets, close } = await configuredTargets(await readConfiguration(file, lookup))
      close()
      expect(targets.filter(({ price }) => price === null)).toEqual([])
    }
  })
})

it('reports all faults of a file at once, and no secret', () => {
  const faulty = {
    providers: {
      openai: { kind: 'openai', apiKey: canary },
      nowhere: { kind: 'openai-compatible' },
      odd: { kind: 'oracle' },
      late: { kind: 'anthropic', apiKey: `\${MISSING_KEY}`, colour: 'blue' },
    },
    targets: { a: { provider: 'openai', llm: 'x', quality: { default: 7 } } },
    strategy: 'cheapest',
  }
  const fault = (() => {
    try {
      parseConfiguration(faulty, lookup, 'llm.config.yaml')
      return null
    } catch (error) {
      return error as Error & { code: string }
    }
  })()
  expect(fault?.code).toBe('CONFIG_INVALID')
  for (const part of [
    'providers.openai.apiKey: must be a reference',
    'providers.odd.kind',
    'MISSING_KEY is not set',
    'colour',
    'targets.a.quality.default',
  ])
    expect(fault?.message).toContain(part)
  expect(JSON.stringify([fault?.message, fault])).not.toContain(canary)
})

it('finds names that lead nowhere', () => {
  const parseIt = (more: object) => () =>
    parseConfiguration(
      { providers: { builtin: { kind: 'builtin' } }, targets: { a: { provider: 'builtin', llm: 'x' } }, ...more },
      lookup,
      'f',
    )
  expect(parseIt({})).not.toThrow()
  expect(parseIt({ targets: { a: { provider: 'gone', llm: 'x' } } })).toThrow(/no provider gone/)
  expect(parseIt({ strategy: 'luck' })).toThrow(/no strategy luck/)
  expect(parseIt({ strategies: { ab: { kind: 'split', shares: { z: 1 } } } })).toThrow(/no target z/)
  expect(parseIt({ strategies: { fastest: { kind: 'hybrid', cost: 1 } } })).toThrow(/name is taken/)
  expect(parseIt({ strategies: { h: { kind: 'hybrid' } } })).toThrow(/weight above 0/)
  expect(parseIt({ targets: {} })).toThrow(/there are none/)
  const batch = { a: { provider: 'builtin', llm: 'x', batch: {} } }
  expect(parseIt({ targets: batch })).toThrow(/only openai and anthropic have a batch interface/)
})

it('opens a YAML file: declared strategies, defaults, masked prompts', async () => {
  const file = fileOf(
    'mixed.yaml',
    `
providers:
  server: { kind: openai-compatible, baseUrl: '${server.url}/v1', local: true, apiKey: '\${OPENAI_API_KEY}' }
targets:
  one: { provider: server, llm: one }
  two: { provider: server, llm: two, price: { input: 1, output: 2 } }
strategy: trial
strategies: { trial: { kind: split, shares: { two: 1 } } }
maxTokens: 33
`,
  )
  const { router, source, close } = await openRouter({
    config: { ...off, INKLING_LLM_CONFIG: file },
    lookup,
    log,
    folder,
  })
  const { finish, from } = await hear(
    router.stream(requestOf(`Is ghp_${'aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA3bC6'} good?`)),
  )
  close()
  expect(source).toBe(file)
  expect(router.strategies[0]).toBe('trial')
  expect(from).toEqual(['two'])
  expect(finish!.costUsd).toBeGreaterThan(0)
  const call = server.calls.at(-1)!
  expect(call.body).toMatchObject({ model: 'two', max_tokens: 33, messages: [{ content: 'Is [secret] good?' }] })
  expect(call.headers.authorization).toBe(`Bearer ${canary}`)
})

it('opens a TypeScript file', async () => {
  const file = fileOf(
    'llm.config.ts',
    `export default { providers: { builtin: { kind: 'builtin' } }, targets: { quick: { provider: 'builtin', llm: 'x' } } }`,
  )
  const { router, source } = await openRouter({ config: off, lookup, log, folder })
  rmSync(file)
  expect(source).toBe(file)
  expect(router.targets().map(({ target }) => target.name)).toEqual(['quick'])
})

it('says which file is missing, or broken', async () => {
  const open = (name: string) =>
    openRouter({ config: { ...off, INKLING_LLM_CONFIG: join(folder, name) }, lookup, log, folder })
  await expect(open('gone.yaml')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('gone.yaml'),
  })
  fileOf('broken.yaml', 'providers: [')
  await expect(open('broken.yaml')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

describe('without a file', () => {
  it('finds Ollama, what it holds and what that can do', async () => {
    const wire = createWire({ isLocal: true })
    const config = { INKLING_LLM_CONFIG: undefined, INKLING_OLLAMA_URL: server.url }
    const { router, source, close } = await openRouter({ config, lookup, log, folder, probe: wire.fetch })
    expect(source).toBe(`Ollama at ${server.url}`)
    expect(router.targets().map(({ target }) => [target.name, target.tags])).toEqual([
      ['ollama/llama3.2:latest', ['local']],
      ['ollama/nomic-embed-text:latest', ['local']],
    ])
    const { finish, text } = await hear(router.stream(requestOf('How many?')))
    expect(text).toBe('The answer is forty-two.')
    expect(finish).toMatchObject({ costUsd: 0, target: { name: 'ollama/llama3.2:latest', provider: { label: null } } })
    close()
    wire.close()
  })

  it('answers from the prompt itself, labelled, where there is no Ollama either', async () => {
    const gone = await startProviderServer()
    await gone.close()
    const config = { INKLING_LLM_CONFIG: undefined, INKLING_OLLAMA_URL: gone.url }
    const { router } = await openRouter({ config, lookup, log, folder })
    const prompt =
      'The library opens at nine. Lunch is at noon. The library is closed on Sunday. When does the library open?'
    const { text, finish } = await hear(router.stream(requestOf(prompt)))
    expect(text).toContain('The library opens at nine.')
    expect(text).toContain('No language model is configured')
    expect(text).not.toContain('Lunch')
    expect(finish).toMatchObject({ reason: 'STOP', costUsd: 0, target: { provider: { label: 'BUILTIN_NOT_AN_LLM' } } })
  })

  it('never has the built-in answerer stand in for a target that fails', async () => {
    server.script('failing', { status: 500 })
    const file = fileOf(
      'failing.yaml',
      `
providers: { server: { kind: openai-compatible, baseUrl: '${server.url}/v1', local: true } }
targets: { only: { provider: server, llm: failing } }
patience: { rounds: 1 }
`,
    )
    const { router } = await openRouter({ config: { ...off, INKLING_LLM_CONFIG: file }, lookup, log, folder })
    expect((await hear(router.stream(requestOf('Hello?')))).error?.code).toBe('LLM_UNAVAILABLE')
  })
})

describe('addresses', () => {
  const configurationOf = (baseUrl: string, local?: boolean) => ({
    ...parseConfiguration(
      {
        providers: { p: { kind: 'openai-compatible', baseUrl, ...(local && { local }) } },
        targets: { t: { provider: 'p', llm: 'x', price: { input: 1, output: 1 } } },
      },
      lookup,
      'f',
    ),
  })

  it('refuses private ones that are written down, unless they are declared local', async () => {
    for (const url of [
      'http://127.0.0.1:1/v1',
      'http://10.1.2.3/v1',
      'http://169.254.169.254/v1',
      'http://[::1]/v1',
      'http://[::ffff:10.0.0.1]/v1',
    ])
      await expect(configuredTargets(configurationOf(url))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(configuredTargets(configurationOf('http://10.1.2.3/v1', true))).resolves.toBeDefined()
    expect(() => configurationOf('file:///etc/passwd')).toThrow(/baseUrl/)
  })

  it('refuses names that resolve to private ones, one of several included, and connects to nobody', async () => {
    for (const addresses of [['127.0.0.1'], ['93.184.216.34', '192.168.0.9'], ['fd00::1'], ['::ffff:127.0.0.1'], []]) {
      const { targets } = await configuredTargets(
        configurationOf('http://llm.example.org/v1'),
        (_name, _options, answer) =>
          answer(
            null,
            addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
          ),
      )
      const stream = targets[0]!.provider.stream({ ...requestOf('Hello?'), llm: 'x' }, new AbortController().signal)
      await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' })
    }
  })
})
