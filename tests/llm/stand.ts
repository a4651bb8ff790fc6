import { fixedPrice } from '../../llm/price.ts'
import type { Provider } from '../../llm/provider.ts'
import { createRemoteProvider } from '../../llm/providers/remote.ts'
import { createWire } from '../../llm/providers/wire.ts'
import type { RoutedPart, RoutedStream } from '../../llm/route.ts'
import { createRouter, type RouterOptions } from '../../llm/router.ts'
import type { Target } from '../../llm/target.ts'
import { createLog } from '../../platform/log.ts'

/** A provider of the local server's OpenAI face. Wires keep sockets; the local server ends them when it closes. */
export function providerAt(url: string, name = 'local-server'): Provider {
  return createRemoteProvider('openai-compatible', {
    name,
    wire: createWire({ isLocal: true }),
    apiKey: 'test-key',
    baseUrl: `${url}/v1`,
  })
}

export function targetOf(name: string, provider: Provider, options: Partial<Target> = {}): Target {
  return {
    name,
    provider,
    llm: name,
    price: fixedPrice({ input: 1, cachedInput: 0.1, output: 4 }),
    contextTokens: 100_000,
    capabilities: { text: true, embeddings: false, tools: true, images: true, json: true },
    quality: {},
    tags: ['remote'],
    limits: { concurrency: null, requestsPerMinute: null, tokensPerMinute: null },
    batch: null,
    priority: 1,
    ...options,
  }
}

/** A router with short patience: tests wait for no minute. */
export function routerOf(targets: readonly Target[], options: Partial<RouterOptions> = {}) {
  return createRouter({
    targets,
    log: createLog('silent'),
    ...options,
    patience: { firstTokenMs: 2000, stallMs: 1000, deadlineMs: 8000, ...options.patience },
  })
}

export interface Heard {
  readonly parts: readonly RoutedPart[]
  readonly text: string
  /** Names of the targets that wrote, in their order. */
  readonly from: readonly string[]
  readonly finish: (RoutedPart & { type: 'finish' }) | null
  readonly error: { readonly code: string; readonly message: string } | null
}

export async function hear(stream: RoutedStream): Promise<Heard> {
  const parts: RoutedPart[] = []
  let error: Heard['error'] = null
  try {
    for await (const part of stream) parts.push(part)
  } catch (thrown) {
    error = thrown as Heard['error']
  }
  return {
    parts,
    text: parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    from: parts.flatMap((part) => (part.type === 'started' ? [part.target.name] : [])),
    finish: parts.find((part) => part.type === 'finish') ?? null,
    error,
  }
}
