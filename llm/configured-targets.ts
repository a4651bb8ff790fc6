import { isPublicAddress, type Lookup as NameLookup } from '../platform/addresses.ts'
import { InklingError } from '../platform/errors.ts'
import type { LlmConfiguration, ProviderConfiguration, TargetConfiguration } from './configuration.ts'
import { bundledPrice, fixedPrice, free } from './price.ts'
import type { Provider } from './provider.ts'
import { createExtractiveProvider } from './providers/extractive.ts'
import { OLLAMA_URL } from './providers/ollama.ts'
import { createRemoteProvider } from './providers/remote.ts'
import { createWire, type Wire } from './providers/wire.ts'
import type { Price, Target } from './target.ts'

/** Context windows where the file does not say. Ollama cuts prompts silently at 4,096 tokens unless its num_ctx is raised. */
const contexts = { ollama: 4096, local: 32_768, remote: 128_000, builtin: 1_000_000 }

/** Who publishes prices of which kind. */
const pricedAs: Partial<Record<ProviderConfiguration['kind'], string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'google',
  vertex: 'google',
}

export interface ConfiguredTargets {
  readonly targets: readonly Target[]
  /** Ends idle connections. */
  close(): void
}

/** Makes the providers and targets that a configuration declares. Connects to nobody. */
export async function configuredTargets(
  { providers, targets }: LlmConfiguration,
  nameLookup?: NameLookup,
): Promise<ConfiguredTargets> {
  const wires: Wire[] = []
  const made = new Map<string, { readonly provider: Provider; readonly isLocal: boolean }>()
  for (const [name, settings] of Object.entries(providers)) {
    const isLocal =
      settings.local ?? (settings.kind === 'builtin' || (settings.kind === 'ollama' && isLoopback(settings)))
    if (!isLocal) refusePrivate(name, settings)
    const wire = createWire({ isLocal, ...(nameLookup && { lookup: nameLookup }) })
    wires.push(wire)
    made.set(name, { provider: providerOf(name, settings, wire), isLocal })
  }
  const list: Target[] = []
  for (const [name, settings] of Object.entries(targets)) {
    const { provider, isLocal } = made.get(settings.provider)!
    const { kind } = providers[settings.provider]!
    const price = await priceOf(settings, kind, isLocal)
    list.push(targetOf(name, settings, { provider, isLocal, kind, price, priority: list.length }))
  }
  return {
    targets: list,
    close() {
      for (const wire of wires) wire.close()
    },
  }
}

function isLoopback({ baseUrl }: ProviderConfiguration): boolean {
  const host = new URL(baseUrl ?? OLLAMA_URL).hostname
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.')
}

/** Names are judged when they are looked up; an address that is written down can be judged now. */
function refusePrivate(name: string, { baseUrl }: ProviderConfiguration): void {
  const host = baseUrl && new URL(baseUrl).hostname.replace(/^\[|\]$/g, '')
  if (!host || !/^[\d.]+$|:/.test(host) || isPublicAddress(host)) return
  throw new InklingError(
    'CONFIG_INVALID',
    `providers.${name}.baseUrl: ${host} is not an address of the open internet.`,
    'Say `local: true` where a machine of your own is meant.',
  )
}

function providerOf(name: string, settings: ProviderConfiguration, wire: Wire): Provider {
  const { kind, baseUrl, headers, organization, project, location, apiKey = '' } = settings
  if (kind === 'builtin') return createExtractiveProvider()
  return createRemoteProvider(kind === 'ollama' ? 'openai-compatible' : kind, {
    name,
    wire,
    apiKey,
    ...(kind === 'ollama' ? { baseUrl: `${(baseUrl ?? OLLAMA_URL).replace(/\/+$/, '')}/v1` } : baseUrl && { baseUrl }),
    ...(headers && { headers }),
    ...(organization && { organization }),
    ...(project && { project }),
    ...(location && { location }),
  })
}

/** The declared price, else the published one, else nothing for machines of one's own; null: unknown, and never asked. */
async function priceOf(
  { price, llm }: TargetConfiguration,
  kind: ProviderConfiguration['kind'],
  isLocal: boolean,
): Promise<Price | null> {
  if (price) return fixedPrice({ ...price, cachedInput: price.cachedInput ?? price.input })
  if (isLocal) return free
  const publisher = pricedAs[kind]
  return publisher ? bundledPrice(publisher, llm) : null
}

function targetOf(
  name: string,
  settings: TargetConfiguration,
  known: Pick<Target, 'provider' | 'price' | 'priority'> & { isLocal: boolean; kind: ProviderConfiguration['kind'] },
): Target {
  const {
    llm,
    contextTokens,
    capabilities = {},
    quality = {},
    tags = [],
    limits = {},
    batch = null,
    priority,
  } = settings
  const { provider, price, isLocal, kind } = known
  const embeddings = capabilities.embeddings ?? false
  const isLlm = kind !== 'builtin'
  const place = kind === 'ollama' || kind === 'builtin' ? kind : isLocal ? 'local' : 'remote'
  return {
    name,
    provider,
    llm,
    price,
    contextTokens: contextTokens ?? contexts[place],
    capabilities: {
      embeddings,
      text: capabilities.text ?? !embeddings,
      // What runs on one's own machine is often small: it has to be said that it can do more than write.
      tools: isLlm && (capabilities.tools ?? !isLocal),
      images: isLlm && (capabilities.images ?? false),
      json: isLlm && (capabilities.json ?? true),
    },
    quality,
    tags: [isLocal ? 'local' : 'remote', ...tags],
    limits: {
      concurrency: limits.concurrency ?? null,
      requestsPerMinute: limits.requestsPerMinute ?? null,
      tokensPerMinute: limits.tokensPerMinute ?? null,
    },
    batch,
    priority: priority ?? known.priority,
  }
}
