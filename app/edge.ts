import type { Ground } from '../cli/ground.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../gateway/gateway.ts'
import { type ListeningServer, type ListenOptions, listen } from '../gateway/server.ts'
import { scalars } from '../schema/scalars.ts'
import { readExamples } from './examples.ts'
import { doorsOf, edgeOf, type Requests } from './requests.ts'

/** The gateway and the way into it. */
export interface Edge {
  readonly gateway: Gateway
  listen(options: Pick<ListenOptions, 'host' | 'port' | 'checks' | 'routes'>): Promise<ListeningServer>
}

export interface EdgeOptions extends Pick<GatewayOptions, 'subgraphs' | 'transport'> {
  readonly requests: Requests
}

/** The edge as the settings want it, the same whether the subgraphs are in this process or elsewhere. */
export async function openEdge(ground: Ground, { requests, ...graph }: EdgeOptions): Promise<Edge> {
  const { config, log } = ground
  const gateway = await createGateway({
    ...graph,
    scalars,
    log,
    ...edgeOf(config),
    ...requests,
  })
  return {
    gateway,
    listen: async (options) =>
      listen({
        ...options,
        gateway,
        ...doorsOf(config, requests.authentication, options.host),
        drainSeconds: config.DRAIN_SECONDS,
        shutdownSeconds: config.SHUTDOWN_SECONDS,
        examples: readExamples(),
        title: 'Inkling',
      }),
  }
}
