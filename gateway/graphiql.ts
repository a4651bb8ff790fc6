import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** A query offered as a tab. Its name becomes a comment on the first line. */
export interface Example {
  readonly name: string
  readonly query: string
}

export interface Page {
  readonly html: Buffer
  readonly gzipped: Buffer
}

/**
 * The GraphiQL page with its scripts, styles and workers inside: it asks no other host for anything. The package weighs 9 MB
 * and is loaded when the page is first asked for. Subscriptions run over the WebSocket of the same path.
 */
export async function renderGraphiql(examples: readonly Example[], title: string): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const text = renderGraphiQL({
    title,
    endpoint: '/graphql',
    subscriptionsProtocol: 'WS',
    schemaDescription: true,
    inputValueDeprecation: true,
    // The page is a script: nothing inside a string may end it.
    defaultTabs: examples.map(({ name, query }) => ({
      query: `# ${name}\n${query.trim()}\n`.replaceAll('</', '<\\/'),
    })),
  })
  const html = Buffer.from(text)
  return { html, gzipped: await promisify(gzip)(html) }
}
