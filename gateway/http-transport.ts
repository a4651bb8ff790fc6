import { type DocumentNode, type ExecutionResult, getOperationAST } from 'graphql'
import type { Log } from '../platform/log.ts'
import { type Instance, openInstance, Unanswered } from './instance.ts'
import type { Operation } from './operation.ts'
import { subscribeAt } from './remote-subscription.ts'
import { signedHeaders } from './signature.ts'
import { operationOf, type SubgraphCall, type SubgraphTransport } from './transport.ts'
import { paramsOf, type Target, trusted, unavailable } from './upstream.ts'

export interface HttpTransportOptions {
  /** Where each subgraph is served: one process, or several that are asked in turn. */
  readonly urls: Readonly<Record<string, string | readonly string[]>>
  readonly secret: string
  /** How long a call of a subgraph may take, with every attempt of it. */
  readonly timeoutMs?: number
  readonly log: Log
}

/**
 * Subgraphs elsewhere: JSON over HTTP, subscriptions over one WebSocket a process. Every call is signed and carries the request's
 * moment. What was not sent is sent to the next process; what was sent and not answered is asked once more, unless it is a mutation.
 */
export function httpTransport({ urls, secret, timeoutMs = 10_000, log }: HttpTransportOptions): SubgraphTransport {
  const targets = new Map<string, Target & { readonly instances: readonly Instance[] }>()
  for (const [name, addresses] of Object.entries(urls)) {
    const instances = [addresses].flat().map((url) => openInstance({ name, url, timeoutMs, log }))
    let turn = 0
    const inTurn = () => {
      const well = instances.filter((instance) => instance.isWell())
      const at = turn++ % Math.max(1, well.length)
      return [...well.slice(at), ...well.slice(0, at)]
    }
    targets.set(name, { name, secret, timeoutMs, log, instances, inTurn })
  }
  return {
    executorOf(name) {
      const target = targets.get(name)
      if (!target) throw new Error(`The supergraph names a subgraph "${name}" whose address is not known`)
      return (call) => (call.operationType === 'subscription' ? subscribeAt(target, call) : executeAt(target, call))
    },
    reach: () =>
      [...targets.values()].map(({ name, instances }) => ({
        name,
        known: instances.length,
        well: instances.filter((instance) => instance.isWell()).length,
      })),
    async close() {
      for (const { instances } of targets.values()) await Promise.all(instances.map((instance) => instance.close()))
    },
  }
}

async function executeAt(target: Target, call: SubgraphCall): Promise<ExecutionResult> {
  const operation = operationOf(call)
  const { signal } = operation
  const body = JSON.stringify(paramsOf(call))
  const headers = {
    ...signedHeaders(operation.request, operation.authorization, body, target.secret),
    'content-type': 'application/json',
    accept: 'application/graphql-response+json, application/json',
  }
  const until = performance.now() + target.timeoutMs
  let repeats = isMutation(call.document) ? 0 : 1
  let failure: unknown = null
  const instances = target.inTurn()
  for (const [at, instance] of instances.entries()) {
    const left = until - performance.now()
    if (left <= 0) break
    const isRepeatable = repeats > 0 && at + 1 < instances.length
    try {
      const text = await instance.post({ body, headers, signal, timeoutMs: isRepeatable ? left / 2 : left })
      return resultOf(text, operation)
    } catch (error) {
      failure = error
      if (signal.aborted) break
      const wasSent = !(error instanceof Unanswered) || error.wasSent
      if (wasSent && repeats-- <= 0) break
    }
  }
  return { errors: [unavailable(target, operation, failure)] }
}

function resultOf(text: string, operation: Operation): ExecutionResult {
  const result: unknown = JSON.parse(text)
  if (typeof result !== 'object' || result === null || !('data' in result || 'errors' in result)) {
    throw new Error('it answered with no GraphQL result')
  }
  const { extensions, ...answer } = result as ExecutionResult
  if (extensions) operation.report(extensions)
  return trusted(answer)
}

function isMutation(document: DocumentNode): boolean {
  return getOperationAST(document)?.operation !== 'query' // a document of several operations is taken for the worst
}
