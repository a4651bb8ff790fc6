import { z } from 'zod'
import type { Fetch } from './wire.ts'

/** Where Ollama listens unless told otherwise. */
export const OLLAMA_URL = 'http://127.0.0.1:11434'
const PROBE_MS = 300

const tags = z.object({ models: z.array(z.object({ name: z.string() })) })

/** Names of the LLMs that an Ollama server holds; null when none answers there within 300 ms. */
export async function findOllama(fetch: Fetch, url: string = OLLAMA_URL): Promise<readonly string[] | null> {
  try {
    const response = await fetch(`${url}/api/tags`, { signal: AbortSignal.timeout(PROBE_MS) })
    if (!response.ok) return null
    const { models } = tags.parse(await response.json())
    // Embedders answer no prompts; they are known by their names only.
    return models.map(({ name }) => name).filter((name) => !/embed|bge-|minilm/i.test(name))
  } catch {
    return null
  }
}
