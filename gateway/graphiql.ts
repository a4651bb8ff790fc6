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
 * and is loaded when the page is first asked for. Subscriptions are posted and answered by events: the page sends no header over a
 * WebSocket, so that the token of the Headers tab would be left behind.
 */
export async function renderGraphiql(examples: readonly Example[], title: string): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const text = renderGraphiQL({
    title,
    endpoint: '/graphql',
    subscriptionsProtocol: 'SSE',
    method: 'POST',
    schemaDescription: true,
    inputValueDeprecation: true,
    defaultTabs: examples.map((example) => ({ query: tabOf(example) })),
  })
  const html = Buffer.from(text)
  return { html, gzipped: await promisify(gzip)(html) }
}

/** GraphiQL titles a tab by its operation: one without a name gets the example's. */
function tabOf({ name, query }: Example): string {
  const title = name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
  const titled = query
    .trim()
    .replace(/^(query|mutation|subscription)?\s*(?=[({])/, (_all, kind = 'query') => `${kind} ${title || 'Example'} `)
  // The page is a script: nothing inside a string may end it.
  return `# ${name}\n${titled}\n`.replaceAll('</', '<\\/')
}
