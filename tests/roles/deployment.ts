import { openEdge } from '../../app/edge.ts'
import { openRequests } from '../../app/requests.ts'
import type { Role } from '../../app/roles.ts'
import { subgraphNames } from '../../app/subgraphs.ts'
import { type App, createApp } from '../../app.ts'
import { type ServedSubgraph, serveSubgraph } from '../../gateway/serve-subgraph.ts'
import { silent } from '../harness.ts'
import { type SeededGround, settings } from './ground.ts'
import { type RoleProcess, roleProcess } from './role-process.ts'

/** The product as it runs somewhere. */
export interface Deployment {
  /** Where its gateways listen. */
  readonly urls: readonly string[]
  /** A gateway that waits two seconds for a subgraph; empty where there is none. */
  readonly impatient: string
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
    impatient: '',
    processes: [],
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
  const edge = await openEdge(ground, { subgraphs: app.subgraphs, transport: { urls, secret }, requests })
  const server = await edge.listen({ host: '127.0.0.1', port: 0, checks: async () => ({}) })
  await app.jobs.start()
  const endSubgraph = async (name: string) => {
    await Promise.all(served.get(name)!.map((one) => one.drain()))
    served.delete(name)
  }
  return {
    urls: [server.url],
    impatient: '',
    processes: [],
    endSubgraph,
    async close() {
      await server.drain()
      for (const name of [...served.keys()]) await endSubgraph(name)
      await edge.gateway.close()
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
  const impatient = await make('gateway', { INKLING_SUBGRAPHS: addresses, INKLING_SUBGRAPH_DEADLINE_MS: '2000' })
  const worker = await make('worker')
  const processes = [...parts, worker, ...gateways]
  await Promise.all([...processes, impatient].map((process) => process.start()))
  return {
    urls: gateways.map(({ url }) => url),
    impatient: impatient.url,
    processes,
    async endSubgraph(name) {
      await Promise.all(parts.filter(({ role }) => role === name).map((process) => process.stop()))
    },
    async close() {
      for (const process of processes) process.kill('SIGCONT')
      await Promise.all([...processes, impatient].map((process) => process.stop()))
    },
  }
}
