import { InklingError } from '../../platform/errors.ts'
import type { Exchange, ExchangeRoute } from '../../platform/exchange.ts'
import type { RequestContext } from '../../platform/request.ts'
import { hasScope } from '../../platform/viewer.ts'
import type { Llm } from '../engine.ts'
import type { Target } from '../target.ts'
import { sendStream, sendWhole } from './chat-answer.ts'
import { readChat, readEmbeddings } from './chat-request.ts'
import { sendFault, sendJson } from './faults.ts'

/** A model of this name leaves the choice to the configured strategy; "auto:cheapest" names another one. */
const AUTO = 'auto'

/** The protocol that existing clients speak, on the same engine: they change their base URL and nothing else. */
export function createV1Route(llm: Llm): ExchangeRoute {
  return async (exchange) => {
    try {
      const context = await exchange.open()
      requireUse(context)
      const { request, path } = exchange
      const asked = `${request.method} ${path.replace(/\/$/, '')}`
      if (asked === 'POST /v1/chat/completions') return await chat(llm, exchange, context)
      if (asked === 'POST /v1/embeddings') return await embeddings(llm, exchange, context)
      if (asked === 'GET /v1/models') return await models(llm, exchange)
      if (asked.startsWith('GET /v1/models/')) return await model(llm, exchange, asked.slice('GET /v1/models/'.length))
      throw new InklingError(
        'NOT_FOUND',
        `Nothing is at ${path}.`,
        'There are chat/completions, embeddings and models.',
      )
    } catch (error) {
      sendFault(exchange, error)
    }
  }
}

async function chat(llm: Llm, exchange: Exchange, { viewer }: RequestContext): Promise<void> {
  const { response, request } = exchange
  const { model: name, input, isStreamed, withUsage } = readChat(await exchange.readJson())
  const key = request.headers['idempotency-key']
  const choice = await choiceOf(llm, name)
  const named = typeof key === 'string' ? { id: key } : {}
  const events = await llm.completions.ask({ ...input, ...choice, ...named }, viewer)
  // Without a key nobody can come back to the answer: it ends with its connection.
  const leave = () => void (typeof key === 'string' ? events.return?.() : events.abandon())
  response.once('close', leave)
  try {
    await (isStreamed ? sendStream(exchange, events, withUsage) : sendWhole(exchange, events))
  } finally {
    response.off('close', leave)
    leave()
  }
}

async function embeddings(llm: Llm, exchange: Exchange, { viewer, signal }: RequestContext): Promise<void> {
  const { model: name, texts, isBase64 } = readEmbeddings(await exchange.readJson())
  const { targets } = await choiceOf(llm, name)
  const { vectors, inputTokens, target } = await llm.embed({ texts, targets }, viewer, signal)
  const encoded = (vector: readonly number[]) =>
    isBase64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
  sendJson(exchange.response, 200, {
    object: 'list',
    data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encoded(vector) })),
    model: target.name,
    usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
  })
}

async function models(llm: Llm, { response }: Exchange): Promise<void> {
  const targets = (await llm.router()).targets().map(({ target }) => modelOf(target))
  sendJson(response, 200, { object: 'list', data: [{ ...modelOf(null), id: AUTO }, ...targets] })
}

async function model(llm: Llm, { response }: Exchange, encoded: string): Promise<void> {
  const name = decodeName(encoded)
  const { targets } = await choiceOf(llm, name)
  const found = (await llm.router()).targets().find(({ target }) => target.name === targets?.[0])
  sendJson(response, 200, { ...modelOf(found?.target ?? null), id: name })
}

function modelOf(target: Target | null) {
  return { id: target?.name ?? AUTO, object: 'model', created: 0, owned_by: target?.provider.name ?? 'inkling' }
}

/** A target by its name or by that of its LLM. Throws NOT_FOUND. */
async function choiceOf(llm: Llm, name: string): Promise<{ targets?: string[]; strategy?: string }> {
  const [auto, strategy] = name.split(':', 2)
  if (auto === AUTO) return strategy ? { strategy } : {}
  const all = (await llm.router()).targets().map(({ target }) => target)
  const targets = all.filter((target) => target.name === name || target.llm === name).map((target) => target.name)
  if (targets.length > 0) return { targets }
  throw new InklingError('NOT_FOUND', `There is no model "${name}".`, 'GET /v1/models lists what there is.')
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

function requireUse({ viewer }: RequestContext): void {
  if (hasScope(viewer, 'llm:use')) return
  throw new InklingError('FORBIDDEN', 'This needs the scope llm:use.', 'Ask with a token that carries it.')
}
