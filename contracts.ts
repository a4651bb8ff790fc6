// The graph's contracts in schema/sdl: what clients rely on, printed from the code and kept in the repository.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformSupergraphToPublicSchema } from '@theguild/federation-composition'
import { parse, print } from 'graphql'
import { createApp } from './app.ts'
import { openGround } from './cli/ground.ts'

const folder = fileURLToPath(new URL('./schema/sdl/', import.meta.url))

/** File name -> SDL of every subgraph, of the supergraph and of what clients see, as the code says now. Needs no database of yours. */
export async function describeGraph(): Promise<ReadonlyMap<string, string>> {
  const ground = await openGround({ quiet: true, inMemory: true })
  try {
    const app = await createApp(ground)
    const files = app.subgraphs.map(({ name, sdl }) => [`${name}.graphql`, sdl] as const)
    const { supergraph } = app.gateway
    await app.close()
    const client = print(transformSupergraphToPublicSchema(parse(supergraph)))
    return new Map([...files, ['supergraph.graphql', supergraph], ['client.graphql', `${client}\n`]])
  } finally {
    await ground.close()
  }
}

/** Writes the files and returns their names. */
export function writeContracts(files: ReadonlyMap<string, string>): string[] {
  mkdirSync(folder, { recursive: true })
  for (const [name, sdl] of files) writeFileSync(folder + name, sdl)
  return [...files.keys()].map((name) => `schema/sdl/${name}`)
}

/** Names of the files that are not what the code says. */
export function staleContracts(files: ReadonlyMap<string, string>): string[] {
  return [...files]
    .filter(([name, sdl]) => !existsSync(folder + name) || readFileSync(folder + name, 'utf8') !== sdl)
    .map(([name]) => `schema/sdl/${name}`)
}
