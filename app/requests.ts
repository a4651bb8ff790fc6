import type { Ground } from '../cli/ground.ts'
import type { ClientRequest } from '../gateway/client-request.ts'
import type { GatewayOptions } from '../gateway/gateway.ts'
import type { ListenOptions } from '../gateway/server.ts'
import { type Authentication, refuseOpenDoor } from '../platform/authentication.ts'
import type { Config } from '../platform/config.ts'

/** How a process knows who asks, and when: the same in the gateway and in a subgraph of its own. */
export type Requests = Required<Pick<GatewayOptions, 'requestOf' | 'renew'>>

/** One instant and one viewer per request; the viewer's token is looked at again for each event of a stream. */
export function createRequests({ clock, log }: Ground, { authenticate }: Authentication): Requests {
  return {
    async requestOf({ requestId, headers }: ClientRequest) {
      const authenticated = await authenticate(headers.authorization)
      return { requestId, ...authenticated, now: clock.now(), instant: new Date(), log: log.child({ requestId }) }
    },
    async renew(request, authorization) {
      const authenticated = await authenticate(authorization)
      return { ...request, ...authenticated, now: clock.now(), instant: new Date() }
    },
  }
}

/** Who may come in at all. Without keys everybody is an administrator, so that nobody but this machine may. Throws CONFIG_INVALID. */
export function doorsOf(
  config: Config,
  { isRequired }: Authentication,
  host: string,
): Pick<ListenOptions, 'origins' | 'loopbackOnly'> {
  if (!isRequired) refuseOpenDoor({ ...config, HOST: host })
  return { origins: config.INKLING_ORIGINS ?? [], loopbackOnly: !isRequired }
}
