import { z } from 'zod'
import type { Fetch } from './wire.ts'

/** Where Ollama listens unless told otherwise. */
export const OLLAMA_URL = 'http://127.0.0.1:11434'
const PROBE_MS = 300

const tags = z.object({ models: z.array(z.object({ name: z.string() })) })
const show = z.object({ capabilities: z.array(z.string()) })

/** An LLM that an Ollama server holds, with what the server says that it can do. */
export interface OllamaLlm {
  readonly name: string
  readonly text: boolean
  readonly embeddings: boolean
  readonly tools: boolean
  readonly images: boolean
}

/** What an Ollama server holds; null when none answers there within 300 ms. */
export async function findOllama(fetch: Fetch, url: string): Promise<readonly OllamaLlm[] | null> {
  try {
    const response = await fetch(`${url}/api/tags`, { signal: AbortSignal.timeout(PROBE_MS) })
    if (!response.ok) return null
    const { models } = tags.parse(await response.json())
    return await Promise.all(models.slice(0, 50).map(({ name }) => look(fetch, url, name)))
  } catch {
    return null
  }
}

/** Servers from before 2025 do not say what an LLM can do: then it writes, and no more is asked of it. */
async function look(fetch: Fetch, url: string, name: string): Promise<OllamaLlm> {
  try {
    const response = await fetch(`${url}/api/show`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: name }),
      signal: AbortSignal.timeout(PROBE_MS * 3),
    })
    const { capabilities } = show.parse(await response.json())
    const can = (capability: string) => capabilities.includes(capability)
    return { name, text: can('completion'), embeddings: can('embedding'), tools: can('tools'), images: can('vision') }
  } catch {
    return { name, text: true, embeddings: false, tools: false, images: false }
  }
}
