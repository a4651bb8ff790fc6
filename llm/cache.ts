import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Log } from '../platform/log.ts'
import type { Viewer } from '../platform/viewer.ts'
import { countLookup } from './meter.ts'
import type { FinishReason, LlmRequest, Part, Usage } from './provider.ts'
import type { RouteOptions } from './route.ts'

/** An answer as it may be given again. */
export interface CachedAnswer {
  readonly parts: readonly Extract<Part, { type: 'text' | 'toolCall' }>[]
  readonly reason: FinishReason
  readonly target: string
  readonly label: string | null
  readonly usage: Usage
}

/** What is asked, by whom, and how it would be routed: everything that changes the answer. */
export interface Question {
  readonly tenant: string
  readonly request: LlmRequest
  readonly options: Pick<RouteOptions, 'strategy' | 'targets' | 'task' | 'key' | 'isContinuable'>
}

export interface Cache {
  /** Null: nobody asked this lately, or nothing close enough. Never rejects: who cannot look, asks. */
  find(question: Question, asker: Asker, signal: AbortSignal): Promise<CachedAnswer | null>
  keep(question: Question, answer: CachedAnswer, asker: Asker): Promise<void>
}

/** On whose behalf it looks: embedding a question is paid too. */
export interface Asker {
  readonly id: string
  readonly viewer: Viewer
}

export interface CacheOptions {
  /** How long an answer may be given again; 0 keeps none. */
  readonly ttlSeconds: number
  readonly bytes?: number
  /** Answers to questions that mean the same: only with an embedder that understands meaning. Off without. */
  readonly semantic?: {
    embed(text: string, viewer: Viewer, signal: AbortSignal): Promise<readonly number[]>
    /** Least cosine of two questions that count as one. */
    readonly threshold: number
  }
  readonly log: Log
}

const DEFAULT_BYTES = 32 * 2 ** 20
/** More would take longer to compare than it saves. */
const MOST_NEIGHBOURS = 500
const MOST_NEIGHBOURHOODS = 200

/** Only answers that would come out the same are kept: whoever asks with a temperature wants another one each time. */
export function isCacheable({ temperature }: LlmRequest): boolean {
  return temperature === 0
}

/** Bounded in bytes and time, in this process. */
export function createCache({ ttlSeconds, bytes = DEFAULT_BYTES, semantic, log }: CacheOptions): Cache {
  if (ttlSeconds === 0) return { find: async () => null, keep: async () => {} }
  const ttl = ttlSeconds * 1_000
  const answers = new LRUCache<string, CachedAnswer>({
    maxSize: bytes,
    maxEntrySize: Math.ceil(bytes / 16),
    ttl,
    sizeCalculation: sizeOf,
  })
  const neighbourhoods = new LRUCache<string, { vector: Float32Array; key: string }[]>({
    max: MOST_NEIGHBOURHOODS,
    ttl,
  })

  async function nearest(question: Question, viewer: Viewer, signal: AbortSignal) {
    const split = splitQuestion(question)
    const neighbours = split ? neighbourhoods.get(split.around) : undefined
    if (!split || !neighbours?.length || !semantic) return null
    const vector = unit(await semantic.embed(split.text, viewer, signal))
    let best: { key: string; similarity: number } | null = null
    for (const { vector: other, key } of neighbours) {
      const similarity = cosine(vector, other)
      if (similarity >= (best?.similarity ?? semantic.threshold) && answers.has(key)) best = { key, similarity }
    }
    return best
  }

  return {
    async find(question, { id: completionId, viewer }, signal) {
      const found = answers.get(keyOf(question)) ?? null
      countLookup('exact', found !== null)
      if (found) {
        log.info({ event: 'answered from the cache', kind: 'exact', completionId, target: found.target })
        return found
      }
      if (!semantic) return null
      try {
        const near = await nearest(question, viewer, signal)
        const answer = near ? (answers.get(near.key) ?? null) : null
        countLookup('semantic', answer !== null)
        if (near && answer) {
          const similarity = Math.round(near.similarity * 1e4) / 1e4
          log.info({
            event: 'answered from the cache',
            kind: 'semantic',
            completionId,
            target: answer.target,
            similarity,
          })
        }
        return answer
      } catch (error) {
        log.warn({ event: 'semantic cache not read', completionId, error: String(error) })
        return null
      }
    },
    async keep(question, answer, { viewer }) {
      const key = keyOf(question)
      answers.set(key, answer)
      const split = semantic ? splitQuestion(question) : null
      if (!semantic || !split) return
      try {
        const vector = unit(await semantic.embed(split.text, viewer, new AbortController().signal))
        const neighbours = neighbourhoods.get(split.around) ?? []
        neighbourhoods.set(split.around, [{ vector, key }, ...neighbours].slice(0, MOST_NEIGHBOURS))
      } catch (error) {
        log.warn({ event: 'semantic cache not written', error: String(error) })
      }
    },
  }
}

/** A text that is equal for questions whose answers may stand for each other. */
export function keyOf({ tenant, request, options }: Question): string {
  return hash([tenant, request, options])
}

/** The last message's text, and a hash of all the rest: only the text may differ a little. Null where it is more than text. */
function splitQuestion({ tenant, request, options }: Question): { text: string; around: string } | null {
  const { messages, ...rest } = request
  const last = messages.at(-1)
  if (last?.role !== 'user' || last.content.some(({ type }) => type !== 'text')) return null
  const text = last.content.map((piece) => (piece.type === 'text' ? piece.text : '')).join('\n')
  return { text, around: hash([tenant, messages.slice(0, -1), rest, options]) }
}

/** Whatever the order in which properties were written. */
export function hash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sorted)).digest('base64url')
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function sizeOf({ parts }: CachedAnswer): number {
  return parts.reduce(
    (sum, part) => sum + 64 + 2 * (part.type === 'text' ? part.text : part.argumentsJson + part.name).length,
    256,
  )
}

function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector) || 1
  return Float32Array.from(vector, (value) => value / length)
}

function cosine(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return -1
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!
  return sum
}
