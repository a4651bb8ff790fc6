import type { Ground } from '../cli/ground.ts'
import type { SubgraphTransport } from '../gateway/transport.ts'
import { InklingError } from '../platform/errors.ts'
import { readAddresses } from '../platform/role-settings.ts'
import { checkGround, checkModels, checkReach, checkWorker } from './checks.ts'
import type { Engines, EngineUse } from './engines.ts'
import { openRequests } from './requests.ts'
import { createSubgraph, readContract, type SubgraphName, subgraphNames } from './subgraphs.ts'

/** What one process is: everything, the edge, a part of the graph, or one more machine that runs jobs. */
export const roles = ['all', 'gateway', ...subgraphNames, 'worker'] as const
export type Role = (typeof roles)[number]

/** A process that is one part of many. */
export interface RoleProcess {
  /** What it does and where, for whoever looks at its terminal. */
  readonly says: string
  /** Ends without losing what was asked of it. */
  stop(): Promise<void>
}

/** Opens what a role needs and nothing else, and begins. What fails half way closes what it had opened; the ground stays open. */
export async function openRole(role: Exclude<Role, 'all'>, ground: Ground): Promise<RoleProcess> {
  await using unfinished = new AsyncDisposableStack()
  const says = await begin(role, ground, unfinished)
  const opened = unfinished.move()
  return { says, stop: () => opened.disposeAsync() }
}

function begin(role: Exclude<Role, 'all'>, ground: Ground, opened: AsyncDisposableStack): Promise<string> {
  if (role === 'gateway') return openGateway(ground, opened)
  if (role === 'worker') return openWorker(ground, opened)
  return openSubgraph(role, ground, opened)
}

/** The edge alone: it knows the other parts by their contracts and addresses. */
async function openGateway(ground: Ground, opened: AsyncDisposableStack): Promise<string> {
  const { config } = ground
  const { openEdge } = await import('./edge.ts')
  const edge = await openEdge(ground, {
    subgraphs: subgraphNames.map(readContract),
    transport: {
      urls: readAddresses(config.INKLING_SUBGRAPHS ?? '') ?? {},
      secret: secretOf(ground),
      timeoutMs: config.INKLING_SUBGRAPH_DEADLINE_MS,
    },
    requests: await openRequests(ground, opened),
  })
  opened.defer(() => edge.gateway.close())
  const server = await edge.listen({
    host: config.HOST,
    port: config.PORT,
    checks: async () => ({ ...(await checkGround(ground)), subgraphs: checkReach(edge.gateway) }),
  })
  opened.defer(() => server.drain())
  return `gateway   ${server.url}/graphql`
}

/** One part of the graph, for gateways alone. */
async function openSubgraph(name: SubgraphName, ground: Ground, opened: AsyncDisposableStack): Promise<string> {
  const { config, log } = ground
  const { serveSubgraph } = await import('../gateway/serve-subgraph.ts')
  const ml = name === 'llm' ? await reachMl(ground, opened) : undefined
  const scores = name === 'ml' || (name === 'llm' && !ml)
  let asked: Promise<Engines> | null = null
  const engines = () => {
    asked ??= open(ground, { scores, works: false }, opened)
    return asked
  }
  const served = await serveSubgraph({
    subgraph: await createSubgraph(name, ground, engines, ml),
    secret: secretOf(ground),
    host: config.HOST,
    port: config.PORT,
    log,
    shutdownSeconds: config.SHUTDOWN_SECONDS,
    checks: async () => ({
      ...(await checkGround(ground)),
      ...(name === 'ml' ? { models: await checkModels(await engines(), null) } : {}),
    }),
    ...(await openRequests(ground, opened)),
  })
  opened.defer(() => served.drain())
  return `${name.padEnd(9)} ${served.url}`
}

/** How the process of the llm part asks for predictions; without an address of ml it loads the models itself. */
async function reachMl(ground: Ground, opened: AsyncDisposableStack): Promise<SubgraphTransport | undefined> {
  const { config, log } = ground
  const { ml } = readAddresses(config.INKLING_SUBGRAPHS ?? '') ?? {}
  if (!ml) return undefined
  const { httpTransport } = await import('../gateway/http-transport.ts')
  const timeoutMs = config.INKLING_SUBGRAPH_DEADLINE_MS
  const transport = httpTransport({ urls: { ml }, secret: secretOf(ground), timeoutMs, log })
  opened.defer(() => transport.close())
  return transport
}

/** Runs jobs and what is done unasked: first trainings, stored scores. */
async function openWorker(ground: Ground, opened: AsyncDisposableStack): Promise<string> {
  const [{ createChores }, { serveHealth }] = await Promise.all([
    import('./chores.ts'),
    import('../gateway/serve-health.ts'),
  ])
  const { config } = ground
  const engines = await open(ground, { scores: true, works: true }, opened)
  const chores = createChores(ground, engines)
  opened.defer(() => chores.stop())
  const health = await serveHealth({
    host: config.HOST,
    port: config.HEALTH_PORT,
    checks: async () => ({
      ...(await checkGround(ground)),
      models: await checkModels(engines, config.INKLING_FIRST_TRAINING === 'on' ? chores.firstJobs : null),
      worker: checkWorker(engines, true),
    }),
  })
  opened.defer(() => health.close())
  await engines.jobs.start()
  if (config.INKLING_FIRST_TRAINING === 'on') await chores.trainMissing()
  await chores.keepScores()
  const kinds = [...engines.jobs.kinds.keys()].join(', ')
  return `${engines.jobs.status().worker} takes jobs: ${kinds}   ${health.url}/health`
}

async function open(ground: Ground, use: EngineUse, opened: AsyncDisposableStack): Promise<Engines> {
  const { openEngines } = await import('./engines.ts')
  return openEngines(ground, use, opened)
}

function secretOf({ config }: Ground): string {
  if (config.INKLING_GATEWAY_SECRET) return config.INKLING_GATEWAY_SECRET
  throw new InklingError(
    'CONFIG_INVALID',
    'A gateway and its subgraphs in processes of their own need a secret between them.',
    'Set INKLING_GATEWAY_SECRET to the same 32 or more random characters in all of them: openssl rand -hex 32',
  )
}
