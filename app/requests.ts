import type { Ground } from '../cli/ground.ts'
import type { ClientRequest } from '../gateway/client-request.ts'
import type { GatewayOptions } from '../gateway/gateway.ts'
import { localViewer } from '../platform/viewer.ts'

/** How a process knows who asks, and when: the same in the gateway and in a subgraph of its own. */
export type Requests = Required<Pick<GatewayOptions, 'requestOf' | 'renew'>>

/** One instant and one viewer per request. Without keys every caller is the local administrator: the server binds to loopback. */
export function createRequests({ clock, log }: Ground): Requests {
  return {
    requestOf: ({ requestId }: ClientRequest) => ({
      requestId,
      viewer: localViewer,
      now: clock.now(),
      instant: new Date(),
      log: log.child({ requestId }),
    }),
    renew: (request) => ({ ...request, now: clock.now(), instant: new Date() }),
  }
}
