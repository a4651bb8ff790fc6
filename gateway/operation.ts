import type { RequestContext, Subgraph } from '../platform/request.ts'
import { addExtensions, type Extensions } from './extensions.ts'

/**
 * Moves a request to the next event of its subscription: a new moment, and the client's token looked at again. Throwing ends
 * the subscription.
 */
export type RenewRequest = (
  request: RequestContext,
  authorization: string | undefined,
) => RequestContext | Promise<RequestContext>

/** Made once: every operation ends with it, and a new one costs a stack trace. */
const OVER = new DOMException('The operation is over.', 'AbortError')

/**
 * One operation of a client on its way through the graph. It holds the one RequestContext and hands each subgraph the one
 * context made from it, so that every subgraph call of a plan shares the same loaders.
 */
export class Operation {
  readonly #abort = new AbortController()
  readonly #contexts = new Map<Subgraph, object>()
  #reported: Extensions | null = null
  readonly #renew: RenewRequest | undefined
  #request: RequestContext
  #isTrusted = false

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

  /** From now on the limits of the scope `bulk` hold, whoever asks: the document was written by who runs this installation. */
  trust(): void {
    this.#isTrusted = true
    this.#request = this.#withSignal(this.#request)
  }

  contextOf(subgraph: Subgraph): object {
    const known = this.#contexts.get(subgraph)
    if (known) return known
    const context = subgraph.contextOf(this.#request)
    this.#contexts.set(subgraph, context)
    return context
  }

  /** Keeps what a subgraph elsewhere said about its share of the work. */
  report(extensions: Extensions): void {
    this.#reported = addExtensions(this.#reported, extensions)
  }

  /** What every subgraph has to say about the operation so far; null for nothing. */
  extensions(): Extensions | null {
    let sum = this.#reported
    for (const [subgraph, context] of this.#contexts) {
      const said = subgraph.extensionsOf?.(context)
      if (said) sum = addExtensions(sum, said)
    }
    return sum
  }

  /** Each event of a subscription is a request of its own: loaders that remembered the previous event would answer with old rows. */
  async nextEvent(): Promise<void> {
    if (this.#renew) this.#request = this.#withSignal(await this.#renew(this.#request, this.authorization))
    this.#contexts.clear()
    this.#reported = null
  }

  abort(): void {
    this.#abort.abort(OVER)
  }

  #withSignal(request: RequestContext): RequestContext {
    const { viewer } = request
    const isRaised = this.#isTrusted && !viewer.scopes.includes('bulk')
    return {
      ...request,
      signal: this.#abort.signal,
      ...(isRaised ? { viewer: { ...viewer, scopes: [...viewer.scopes, 'bulk'] } } : {}),
    }
  }
}
