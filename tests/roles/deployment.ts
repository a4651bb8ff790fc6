import { openEdge } from '../../app/edge.ts'
import { openRequests } from '../../app/requests.ts'
import type { Role } from '../../app/roles.ts'
import { readContract, subgraphNames } from '../../app/subgraphs.ts'
import { type App, createApp } from '../../app.ts'
import type { GatewayOptions } from '../../gateway/gateway.ts'
import { type ServedSubgraph, serveSubgraph } from '../../gateway/serve-subgraph.ts'
import { readAddresses } from '../../platform/role-settings.ts'
import { silent } from '../harness.ts'
import { type SeededGround, settings } from './ground.ts'
import { type RoleProcess, roleProcess } from './role-process.ts'

/** The product as it runs somewhere. */
export interface Deployment {
  /** Where its gateways listen. */
  readonly urls: readonly string[]
  /** Opens a gateway that waits two seconds for a subgraph, in this process. */
  openImpatient(): Promise<{ readonly url: string; close(): Promise<void> }>
  /** Its processes, where it has several. */
  readonly processes: readonly RoleProcess[]
  /** Ends the processes of a subgraph; the others go on. */
  endSubgraph(name: string): Promise<void>
  close(): Promise<void>
}

export async function inOneProcess(ground: SeededGround): Promise<Deployment> {
  const app = await createApp(ground)
  const server = await app.listen({ host: '127.0.0.1', port: 0 })
  await app.jobs.start()
  return {
    urls: [server.url],
    processes: [],
    openImpatient: () => Promise.reject(new Error('nobody is waited for in one process')),
    endSubgraph: () => Promise.reject(new Error('a part of one process cannot end alone')),
    async close() {
      await server.drain()
      await app.close()
    },
  }
}

/** Two gateways, two of each subgraph and a worker; on the embedded database, which one process owns, subgraphs over HTTP within it. */
export function inManyProcesses(ground: SeededGround): Promise<Deployment> {
  return ground.url ? overProcesses(ground) : overHttp(ground)
}

async function overHttp(ground: SeededGround): Promise<Deployment> {
  const { config } = ground
  const opened = new AsyncDisposableStack()
  const requests = await openRequests(ground, opened)
  const secret = config.INKLING_GATEWAY_SECRET!
  const app: App = await createApp(ground)
  const served = new Map<string, ServedSubgraph[]>()
  for (const subgraph of app.subgraphs) {
    const options = {
      subgraph,
      secret,
      host: '127.0.0.1',
      port: 0,
      log: silent,
      ...requests,
    }
    served.set(subgraph.name, [await serveSubgraph(options), await serveSubgraph(options)])
  }
  const urls = Object.fromEntries([...served].map(([name, instances]) => [name, instances.map(({ url }) => url)]))
  const gateway = await openGateway(ground, app.subgraphs, urls)
  await app.jobs.start()
  const endSubgraph = async (name: string) => {
    await Promise.all(served.get(name)!.map((one) => one.drain()))
    served.delete(name)
  }
  return {
    urls: [gateway.url],
    processes: [],
    openImpatient: () => openGateway(ground, app.subgraphs, urls, 2_000),
    endSubgraph,
    async close() {
      await gateway.close()
      for (const name of [...served.keys()]) await endSubgraph(name)
      await opened.disposeAsync()
      await app.close()
    },
  }
}

async function overProcesses(ground: SeededGround): Promise<Deployment> {
  const environment = {
    ...settings,
    DATABASE_URL: ground.url,
    DATABASE_POOL_SIZE: '4',
    DRAIN_SECONDS: '1',
  }
  const make = (role: Role, more: object = {}) => roleProcess(role, { ...environment, ...more })
  const ml = await Promise.all([make('ml'), make('ml')])
  const reach = { INKLING_SUBGRAPHS: ml.map(({ url }) => `ml=${url}`).join(',') }
  const others = subgraphNames.filter((name) => name !== 'ml')
  const parts = [...ml, ...(await Promise.all(others.flatMap((name) => [make(name, reach), make(name, reach)])))]
  const addresses = parts.map(({ role, url }) => `${role}=${url}`).join(',')
  const gateways = await Promise.all([1, 2].map(() => make('gateway', { INKLING_SUBGRAPHS: addresses })))
  const worker = await make('worker')
  const processes = [...parts, worker, ...gateways]
  await Promise.all(processes.map((process) => process.start()))
  return {
    urls: gateways.map(({ url }) => url),
    processes,
    openImpatient: () => openGateway(ground, subgraphNames.map(readContract), readAddresses(addresses)!, 2_000),
    async endSubgraph(name) {
      await Promise.all(parts.filter(({ role }) => role === name).map((process) => process.stop()))
    },
    async close() {
      for (const process of processes) process.kill('SIGCONT')
      await Promise.all(processes.map((process) => process.stop()))
    },
  }
}

/** A gateway of its own in this process, over subgraphs elsewhere. */
async function openGateway(
  ground: SeededGround,
  subgraphs: GatewayOptions['subgraphs'],
  urls: Readonly<Record<string, readonly string[]>>,
  timeoutMs?: number,
) {
  const opened = new AsyncDisposableStack()
  const requests = await openRequests(ground, opened)
  const secret = ground.config.INKLING_GATEWAY_SECRET!
  const transport = { urls, secret, ...(timeoutMs ? { timeoutMs } : {}) }
  const edge = await openEdge(ground, { subgraphs, transport, requests })
  opened.defer(() => edge.gateway.close())
  const server = await edge.listen({ host: '127.0.0.1', port: 0, checks: async () => ({}) })
  opened.defer(() => server.drain())
  return { url: server.url, close: () => opened.disposeAsync() }
}
