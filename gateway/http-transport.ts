import { type ExecutionResult, GraphQLError, print } from 'graphql'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { ClientError } from './client-error.ts'
import { EventStream } from './event-stream.ts'
import type { Operation } from './operation.ts'
import { signedHeaders } from './signature.ts'
import { operationOf, type SubgraphAnswer, type SubgraphCall, type SubgraphTransport } from './transport.ts'

export interface HttpTransportOptions {
  readonly urls: Readonly<Record<string, string>>
  readonly secret: string
  /** How long a subgraph may take for an answer. */
  readonly timeoutMs?: number
  readonly log: Log
}

/** Subgraphs elsewhere: JSON over HTTP, subscriptions over one WebSocket a subgraph. Every call is signed and carries the request's moment. */
export function httpTransport({ urls, secret, timeoutMs = 30_000, log }: HttpTransportOptions): SubgraphTransport {
  const sockets: Client[] = []
  return {
    executorOf(name) {
      const url = urls[name]
      if (!url) throw new Error(`The supergraph names a subgraph "${name}" whose address is not known`)
      const target: Target = { name, url, secret, timeoutMs, log }
      const socket = createClient({
        url: url.replace(/^http/, 'ws'),
        webSocketImpl: WebSocket,
        retryAttempts: 0, // a lost stream is told to the client at once; it resumes with its cursor
        lazyCloseTimeout: 5_000,
      })
      sockets.push(socket)
      return (call) =>
        call.operationType === 'subscription' ? subscribeAt(target, socket, call) : executeAt(target, call)
    },
    async close() {
      await Promise.all(sockets.map((socket) => socket.dispose()))
    },
  }
}

interface Target {
  readonly name: string
  readonly url: string
  readonly secret: string
  readonly timeoutMs: number
  readonly log: Log
}

async function executeAt(target: Target, call: SubgraphCall): Promise<ExecutionResult> {
  const operation = operationOf(call)
  const body = JSON.stringify(paramsOf(call))
  const { request } = operation
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      headers: {
        ...signedHeaders(request, operation.authorization, body, target.secret),
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
      },
      body,
      signal: AbortSignal.any([operation.signal, AbortSignal.timeout(target.timeoutMs)]),
    })
    const result: unknown = await response.json()
    if (!isResult(result)) throw new Error(`answered ${response.status} with no GraphQL result`)
    const { extensions, ...answer } = result
    if (extensions) operation.report(extensions)
    return trusted(answer)
  } catch (error) {
    return { errors: [unavailable(target, operation, error)] }
  }
}

function subscribeAt(target: Target, socket: Client, call: SubgraphCall): SubgraphAnswer {
  const operation = operationOf(call)
  const params = paramsOf(call)
  const body = JSON.stringify(params)
  const headers = signedHeaders(operation.request, operation.authorization, body, target.secret)
  const events = socket.iterate({ ...params, extensions: { headers } })
  const last = (errors: readonly GraphQLError[]) => ({ done: false, value: { errors } }) as const
  let hasFailed = false
  return new EventStream<ExecutionResult>({
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (hasFailed) return { done: true, value: undefined }
        try {
          const { done, value } = await events.next()
          if (done) return { done: true, value: undefined }
          await operation.nextEvent()
          return { done: false, value: trusted(value as ExecutionResult) }
        } catch (error) {
          hasFailed = true
          events.return?.(undefined).catch(() => {}) // it has failed already
          if (Array.isArray(error)) return last(trusted({ errors: error }).errors ?? [])
          return last([error instanceof GraphQLError ? error : unavailable(target, operation, error)])
        }
      },
      async return() {
        await events.return?.(undefined)
        return { done: true, value: undefined }
      },
    }),
  })
}

function paramsOf(call: SubgraphCall) {
  return {
    query: print(call.document),
    ...(call.variables ? { variables: call.variables } : {}),
    ...(call.operationName ? { operationName: call.operationName } : {}),
  }
}

/** A subgraph masks its own errors: what it says may be passed on. */
function trusted(result: ExecutionResult): ExecutionResult {
  if (!result.errors?.length) return result
  return {
    ...result,
    errors: result.errors.map(
      ({ message, extensions, path }) =>
        new ClientError(message, { ...extensions, code: extensions?.code ?? 'INTERNAL' }, path),
    ),
  }
}

function unavailable(target: Target, operation: Operation, error: unknown): ClientError {
  if (!operation.signal.aborted) {
    const cause = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error)
    const { requestId, log } = operation.request
    log.error({ event: 'subgraph could not be reached', requestId, subgraph: target.name, reason: cause })
  }
  return new ClientError(`The subgraph "${target.name}" did not answer.`, {
    code: 'UNAVAILABLE',
    hint: 'Other parts of the answer hold; ask again for this one.',
    retryable: true,
  })
}

function isResult(value: unknown): value is ExecutionResult {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value)
}
