import type { Ground } from '../cli/ground.ts'
import type { ClientRequest } from '../gateway/client-request.ts'
import type { GatewayOptions } from '../gateway/gateway.ts'
import type { ListenOptions } from '../gateway/server.ts'
import { readTrustedDocuments } from '../gateway/trusted-documents.ts'
import { type Audit, createAudit } from '../platform/audit.ts'
import { type Authentication, createAuthentication, refuseOpenDoor } from '../platform/authentication.ts'
import type { Config } from '../platform/config.ts'
import { limitsOf } from '../platform/limit-settings.ts'
import { openRates, type Rates } from '../platform/rates.ts'
import type { RequestContext } from '../platform/request.ts'

/** How a process knows who asks, when and how often: the same in the gateway and in a subgraph of its own. */
export interface Requests {
  readonly authentication: Authentication
  readonly audit: Audit
  /** Without keys there is one viewer, who may ask as often as it likes. */
  readonly rates: Rates | undefined
  requestOf(client: ClientRequest): Promise<RequestContext>
  renew(request: RequestContext, authorization: string | undefined): Promise<RequestContext>
}

/** Leaves the end of what it opens to the caller's stack. Throws CONFIG_INVALID. */
export async function openRequests(
  { clock, config, database, log }: Ground,
  opened: AsyncDisposableStack,
  authentication = createAuthentication(config, log),
): Promise<Requests> {
  const { authenticate, isRequired } = authentication
  const audit = createAudit(database, log)
  opened.defer(() => audit.close())
  const rates = isRequired ? await openRates(config, database, log) : undefined
  if (rates) opened.defer(() => rates.close())
  const parts = { audit, ...(rates ? { rates } : {}) }
  return {
    authentication,
    audit,
    rates,
    async requestOf({ requestId, headers }) {
      const authenticated = await authenticate(headers.authorization)
      const moment = { now: clock.now(), instant: new Date() }
      const token = headers.authorization ? { authorization: headers.authorization } : {}
      return { requestId, ...authenticated, ...token, ...moment, ...parts, log: log.child({ requestId }) }
    },
    async renew(request, authorization) {
      const authenticated = await authenticate(authorization)
      return { ...request, ...authenticated, now: clock.now(), instant: new Date() }
    },
  }
}

/** What the settings say about the edge. Throws CONFIG_INVALID for a file of documents that is none. */
export function edgeOf(config: Config): Pick<GatewayOptions, 'limits' | 'production' | 'documents'> {
  const { INKLING_TRUSTED_DOCUMENTS: file, NODE_ENV } = config
  return {
    limits: limitsOf(config),
    production: NODE_ENV === 'production',
    documents: file ? readTrustedDocuments(file) : undefined,
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
