import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

export interface GraphError {
  readonly message: string
  readonly path?: readonly (string | number)[]
  readonly extensions: { readonly code: string }
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: whatever the query selects
  readonly data: any
  readonly errors?: readonly GraphError[]
}

/** A client as the world has them: behind a balancer that asks each gateway for its health and leaves out the ones that end. */
export interface Client {
  ask(query: string, variables?: object): Promise<Answer>
  /** Asks and throws when the answer holds errors. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the query selects
  data(query: string, variables?: object): Promise<any>
  /** Events until the stream ends. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the query selects
  events(query: string, variables: object): Promise<any[]>
  // biome-ignore lint/suspicious/noExplicitAny: whatever the query selects
  serverEvents(query: string, variables: object): Promise<any[]>
  close(): void
}

const LOOK_MS = 50

export function openClient(urls: readonly string[], authorization: string): Client {
  let ready = [...urls]
  let turn = 0
  let looking = true
  const look = async () => {
    while (looking) {
      const health = await Promise.all(
        urls.map((url) =>
          fetch(`${url}/ready`, { signal: AbortSignal.timeout(5_000) }).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
      )
      ready = urls.filter((_url, index) => health[index])
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
  if (urls.length > 1) void look()
  const next = () => {
    const candidates = ready.length > 0 ? ready : urls
    return candidates[turn++ % candidates.length]!
  }
  /** A gateway that takes no connection is left out, as every balancer does: nothing was sent. */
  async function post(query: string, variables: object | undefined, accept: string): Promise<Response> {
    for (let tries = 1; ; tries++) {
      try {
        return await fetch(`${next()}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept, authorization },
          body: JSON.stringify({ query, variables }),
        })
      } catch (error) {
        const { code } = (error as { cause?: { code?: string } }).cause ?? {}
        if (code !== 'ECONNREFUSED' || tries === 2 * urls.length) throw error
      }
    }
  }

  async function ask(query: string, variables?: object): Promise<Answer> {
    const response = await post(query, variables, 'application/json')
    return { status: response.status, ...((await response.json()) as object) } as Answer
  }
  return {
    ask,
    async data(query, variables) {
      const { data, errors } = await ask(query, variables)
      if (errors) throw new Error(JSON.stringify(errors))
      return data
    },
    async events(query, variables) {
      const client = createClient({
        url: `${next().replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: { authorization },
      })
      const events = []
      for await (const { data } of client.iterate({ query, variables: { ...variables } })) events.push(data)
      await client.dispose()
      return events
    },
    async serverEvents(query, variables) {
      const text = await (await post(query, variables, 'text/event-stream')).text()
      return [...text.matchAll(/^data: (.+)$/gm)].map((match) => JSON.parse(match[1]!).data)
    },
    close() {
      looking = false
    },
  }
}
