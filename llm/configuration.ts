import { z } from 'zod'
import { InklingError } from '../platform/errors.ts'
import { personalRules } from './privacy/personal.ts'
import { batchKinds, remoteKinds } from './providers/remote.ts'

// What llm.config.yaml or llm.config.ts may say. Strict everywhere: a misspelt word is a fault, not a default.

const name = z.string().regex(/^[\w./:@+-]{1,100}$/, 'may hold letters, digits and . / : @ + - _, at most 100')
const amount = z.number().min(0)
const share = z.number().min(0).max(1)
const milliseconds = (least: number, most: number) => z.number().int().min(least).max(most)
const policy = z.enum(['mask', 'refuse', 'allow'])

const provider = z.strictObject({
  kind: z.enum([...remoteKinds, 'ollama', 'builtin']),
  apiKey: z.string().min(1).optional(),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** Whether loopback and private addresses are meant. */
  local: z.boolean().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  organization: z.string().optional(),
  project: z.string().optional(),
  location: z.string().optional(),
})

const target = z.strictObject({
  provider: name,
  llm: z.string().min(1).max(200),
  /** USD per million tokens. */
  price: z.strictObject({ input: amount, cachedInput: amount.optional(), output: amount }).optional(),
  contextTokens: z.number().int().min(256).max(100_000_000).optional(),
  capabilities: z
    .strictObject({
      text: z.boolean().optional(),
      embeddings: z.boolean().optional(),
      tools: z.boolean().optional(),
      images: z.boolean().optional(),
      json: z.boolean().optional(),
    })
    .optional(),
  quality: z.record(z.string(), share).optional(),
  tags: z.array(name).optional(),
  limits: z
    .strictObject({
      concurrency: z.number().int().min(1).optional(),
      requestsPerMinute: z.number().int().min(1).optional(),
      tokensPerMinute: z.number().int().min(1).optional(),
    })
    .optional(),
  /** Sends requests of the priority `batch` together, through the provider's batch interface; one by one without. */
  batch: z
    .strictObject({
      /** Share of the price that it saves. */
      discount: share.default(0),
      gatherMs: milliseconds(0, 3_600_000).default(2_000),
      /** Providers take more; but what comes back comes at once, and has to fit a reply. */
      most: z.number().int().min(1).max(1_000).default(200),
      pollMs: milliseconds(10, 3_600_000).default(30_000),
    })
    .optional(),
  /** Smaller is asked first; the order of the file where it is missing. */
  priority: z.number().optional(),
})

const strategy = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('hybrid'),
      cost: amount.default(0),
      speed: amount.default(0),
      quality: amount.default(0),
    })
    .refine(({ cost, speed, quality }) => cost + speed + quality > 0, 'needs a weight above 0'),
  z.strictObject({ kind: z.literal('split'), shares: z.record(z.string(), amount) }),
  z.strictObject({ kind: z.literal('local-first'), order: name }),
])

const shape = z.strictObject({
  providers: z.record(name, provider),
  targets: z.record(name, target),
  strategy: name.default('priority'),
  strategies: z.record(name, strategy).default({}),
  /** Output tokens where a request does not say. */
  maxTokens: z.number().int().min(1).max(1_000_000).optional(),
  patience: z
    .strictObject({
      firstTokenMs: milliseconds(100, 600_000).optional(),
      /** Longer than text is joined for under load, which is no silence of the provider. */
      stallMs: milliseconds(1_000, 600_000).optional(),
      deadlineMs: milliseconds(100, 3_600_000).optional(),
      rounds: z.number().int().min(1).max(10).optional(),
      breaker: z.strictObject({ failures: z.number().int().min(1), restMs: milliseconds(10, 3_600_000) }).optional(),
    })
    .default({}),
  privacy: z
    .strictObject({
      secrets: policy.default('mask'),
      personal: policy.default('mask'),
      /** Which personal data is looked for; none unless asked for. */
      rules: z.array(z.enum(personalRules)).default([]),
    })
    .default({ secrets: 'mask', personal: 'mask', rules: [] }),
})

export type LlmConfiguration = z.output<typeof shape>
export type ProviderConfiguration = LlmConfiguration['providers'][string]
export type TargetConfiguration = LlmConfiguration['targets'][string]

/** Types an `llm.config.ts`: `export default defineLlm({ ... })`. */
export function defineLlm(configuration: z.input<typeof shape>): z.input<typeof shape> {
  return configuration
}

export type Lookup = (name: string) => string | undefined

/** Checks a configuration and fills in `${NAME}` references. Throws CONFIG_INVALID that lists all faults at once, and no secret. */
export function parseConfiguration(source: unknown, lookup: Lookup, file: string): LlmConfiguration {
  const faults: string[] = []
  for (const [key, { apiKey }] of Object.entries(
    (source as { providers?: Record<string, { apiKey?: unknown }> })?.providers ?? {},
  ))
    if (typeof apiKey === 'string' && !/^\$\{\w+\}$/.test(apiKey))
      faults.push(
        `providers.${key}.apiKey: must be a reference like \${OPENAI_API_KEY}: a key in a file ends in a repository`,
      )
  const parsed = shape.safeParse(filledIn(source, lookup, [], faults))
  if (!parsed.success)
    faults.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`))
  else faults.push(...inconsistencies(parsed.data))
  if (parsed.success && faults.length === 0) return parsed.data
  throw new InklingError(
    'CONFIG_INVALID',
    `${file} has ${faults.length} fault${faults.length === 1 ? '' : 's'}: ${faults.join('; ')}`,
    'Correct the file; docs/llm.md has examples.',
  )
}

function filledIn(node: unknown, lookup: Lookup, path: readonly string[], faults: string[]): unknown {
  if (typeof node === 'string')
    return node.replace(/\$\{(\w+)\}/g, (reference, variable: string) => {
      const value = lookup(variable)
      if (value === undefined || value === '') faults.push(`${path.join('.')}: the variable ${variable} is not set`)
      return value || reference
    })
  if (Array.isArray(node)) return node.map((item, index) => filledIn(item, lookup, [...path, String(index)], faults))
  if (node === null || typeof node !== 'object') return node
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, filledIn(value, lookup, [...path, key], faults)]),
  )
}

const keyed = new Set(['openai', 'anthropic', 'gemini'])
const plain = ['priority', 'cheapest', 'fastest', 'quality', 'local-first']

function inconsistencies({ providers, targets, strategy, strategies }: LlmConfiguration): string[] {
  const faults: string[] = []
  for (const [key, { kind, apiKey, baseUrl, project }] of Object.entries(providers)) {
    if (keyed.has(kind) && !apiKey) faults.push(`providers.${key}: needs an apiKey`)
    if (kind === 'vertex' && !apiKey && !project) faults.push(`providers.${key}: needs a project, or an apiKey`)
    if (kind === 'openai-compatible' && !baseUrl) faults.push(`providers.${key}: needs a baseUrl`)
  }
  for (const [key, { provider, batch }] of Object.entries(targets)) {
    if (!Object.hasOwn(providers, provider)) faults.push(`targets.${key}.provider: there is no provider ${provider}`)
    else if (batch && !(batchKinds as ReadonlySet<string>).has(providers[provider]!.kind))
      faults.push(`targets.${key}.batch: only ${[...batchKinds].join(' and ')} have a batch interface`)
  }
  if (Object.keys(targets).length === 0) faults.push('targets: there are none')
  const isKnown = (one: string) => plain.includes(one) || Object.hasOwn(strategies, one)
  if (!isKnown(strategy)) faults.push(`strategy: there is no strategy ${strategy}`)
  for (const [key, declared] of Object.entries(strategies)) {
    if (plain.includes(key)) faults.push(`strategies.${key}: the name is taken`)
    if (declared.kind === 'local-first' && (!plain.includes(declared.order) || declared.order === 'local-first'))
      faults.push(`strategies.${key}.order: must be one of priority, cheapest, fastest, quality`)
    if (declared.kind === 'split')
      for (const target of Object.keys(declared.shares))
        if (!Object.hasOwn(targets, target)) faults.push(`strategies.${key}.shares: there is no target ${target}`)
  }
  return faults
}
