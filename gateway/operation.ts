import type { RequestContext, Subgraph } from '../platform/request.ts'

/** Moves a request to the next event of its subscription: a new moment, and the viewer looked at again. Throwing ends the subscription. */
export type RenewRequest = (request: RequestContext) => RequestContext | Promise<RequestContext>

/**
 * One operation of a client on its way through the graph. It holds the one RequestContext and hands each subgraph the one
 * context made from it, so that every subgraph call of a plan shares the same loaders.
 */
export class Operation {
  readonly #abort = new AbortController()
  readonly #contexts = new Map<string, object>()
  readonly #renew: RenewRequest | undefined
  #request: RequestContext

  /** The client's own token, which subgraphs elsewhere verify again. */
  readonly authorization: string | undefined

  constructor(request: RequestContext, renew?: RenewRequest, authorization?: string) {
    this.#renew = renew
    this.authorization = authorization
    this.#request = this.#withSignal(request)
  }

  get request(): RequestContext {
    return this.#request
  }

  /** Aborted when the client is gone or the operation was ended. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  contextOf(subgraph: Subgraph): object {
    const known = this.#contexts.get(subgraph.name)
    if (known) return known
    const context = subgraph.contextOf(this.#request)
    this.#contexts.set(subgraph.name, context)
    return context
  }

  /** Each event of a subscription is a request of its own: loaders that remembered the previous event would answer with old rows. */
  async nextEvent(): Promise<void> {
    if (this.#renew) this.#request = this.#withSignal(await this.#renew(this.#request))
    this.#contexts.clear()
  }

  abort(): void {
    this.#abort.abort()
  }

  #withSignal(request: RequestContext): RequestContext {
    return { ...request, signal: this.#abort.signal }
  }
}
