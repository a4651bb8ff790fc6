import { readdirSync, readFileSync } from 'node:fs'
import type { Example } from '../gateway/graphiql.ts'

/** GraphiQL's tabs: one file each; its first line is the tab's name. */
export function readExamples(): Example[] {
  const folder = new URL('../examples/queries/', import.meta.url)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => {
      const [title, ...query] = readFileSync(new URL(name, folder), 'utf8').split('\n')
      return { name: title!.replace(/^#\s*/, ''), query: query.join('\n') }
    })
}
