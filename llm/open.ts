import type { Config } from '../platform/config.ts'
import type { Log } from '../platform/log.ts'
import { type LlmConfiguration, type Lookup, parseConfiguration } from './configuration.ts'
import { findConfigurationFile, readConfiguration } from './configuration-file.ts'
import { configuredTargets } from './configured-targets.ts'
import { createScreen } from './privacy/screen.ts'
import { EXTRACTIVE_LLM } from './providers/extractive.ts'
import { findOllama } from './providers/ollama.ts'
import { createWire, type Fetch } from './providers/wire.ts'
import type { Router } from './route.ts'
import { createRouter } from './router.ts'
import { hybrid } from './strategies/hybrid.ts'
import { plainStrategies } from './strategies/index.ts'
import { localFirst } from './strategies/local-first.ts'
import { split } from './strategies/split.ts'
import type { Strategy } from './strategies/strategy.ts'

export interface OpenRouterOptions {
  readonly config: Pick<Config, 'INKLING_LLM_CONFIG' | 'INKLING_OLLAMA_URL'>
  /** Variables that the file refers to. */
  readonly lookup: Lookup
  readonly log: Log
  /** Where the usual file names are looked for. */
  readonly folder: string
  /** How Ollama is looked for. */
  readonly probe?: Fetch
}

/** The router of one process, and where its targets came from. */
export interface OpenedRouter {
  readonly router: Router
  readonly source: string
  /** Ends idle connections. */
  close(): void
}

/**
 * Opens the router: over the targets of the configuration file; without one over what Ollama on this machine holds; without that
 * over the built-in answerer, which is no language model and says so with every answer. Throws CONFIG_INVALID.
 */
export async function openRouter(options: OpenRouterOptions): Promise<OpenedRouter> {
  const { log } = options
  const { configuration, source } = await findConfiguration(options)
  const { targets, close } = await configuredTargets(configuration)
  for (const { name, price } of targets)
    if (price === null) log.warn({ target: name }, 'a target is never asked, because its price is unknown')
  log.info({ source, targets: targets.length, strategy: configuration.strategy }, 'the model router opened')
  const { patience, maxTokens } = configuration
  const router = createRouter({
    targets,
    log,
    strategies: declaredStrategies(configuration),
    defaultStrategy: configuration.strategy,
    // What the file leaves out is missing here too, and not undefined.
    patience: Object.fromEntries(Object.entries(patience).filter(([, value]) => value !== undefined)),
    screen: createScreen(configuration.privacy),
    ...(maxTokens !== undefined && { defaultMaxTokens: maxTokens }),
  })
  return { router, source, close }
}

async function findConfiguration(options: OpenRouterOptions) {
  const { config, lookup, folder, probe } = options
  const file = findConfigurationFile(config.INKLING_LLM_CONFIG, folder)
  if (file) return { configuration: await readConfiguration(file, lookup), source: file }
  const url = config.INKLING_OLLAMA_URL
  const llms = url === 'off' ? null : await askOllama(url, probe)
  const source = llms?.length ? `Ollama at ${url}` : 'built in, no language model'
  const found = llms?.length ? overOllama(url, llms) : builtIn
  return { configuration: parseConfiguration(found, () => undefined, source), source }
}

async function askOllama(url: string, probe?: Fetch) {
  if (probe) return findOllama(probe, url)
  const wire = createWire({ isLocal: true })
  try {
    return await findOllama(wire.fetch, url)
  } finally {
    wire.close()
  }
}

const builtIn = {
  providers: { builtin: { kind: 'builtin' } },
  targets: { builtin: { provider: 'builtin', llm: EXTRACTIVE_LLM } },
  privacy: { secrets: 'allow' }, // nothing leaves this process
}

function overOllama(url: string, llms: NonNullable<Awaited<ReturnType<typeof findOllama>>>) {
  const targets = llms.map(({ name, ...capabilities }) => [
    `ollama/${name}`,
    { provider: 'ollama', llm: name, capabilities },
  ])
  return {
    providers: { ollama: { kind: 'ollama', baseUrl: url, local: true } },
    targets: Object.fromEntries(targets),
    privacy: { secrets: 'allow' }, // nothing leaves this machine
  }
}

function declaredStrategies({ strategies }: LlmConfiguration): Record<string, Strategy> {
  const made: Record<string, Strategy> = {}
  for (const [name, declared] of Object.entries(strategies)) {
    if (declared.kind === 'hybrid') made[name] = hybrid(declared)
    else if (declared.kind === 'split') made[name] = split(name, declared.shares)
    else made[name] = localFirst(plainStrategies[declared.order]!)
  }
  return made
}
