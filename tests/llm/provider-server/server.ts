// A local server that speaks the providers' protocols to the letter and misbehaves on demand. Tests and benches stand on it: no
// test calls a real provider.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BatchDesk, createBatchDesk } from './batches.ts'
import { type Behaviour, behaviourOf, type Call, piecesOf, type ReportedUsage } from './behaviour.ts'
import { answerOther } from './others.ts'
import type { Answer, Protocol } from './protocol.ts'
import { anthropic } from './protocols/anthropic.ts'
import { gemini } from './protocols/gemini.ts'
import { ollama } from './protocols/ollama.ts'
import { openai } from './protocols/openai.ts'

export type { Behaviour, Call } from './behaviour.ts'

const protocols: readonly Protocol[] = [openai, anthropic, gemini, ollama]

/** One behaviour for every call, a list for one call each (the last one stays), or a function of the call. */
export type Script = Behaviour | readonly Behaviour[] | ((call: Call) => Behaviour)

export interface ProviderServerOptions {
  /** LLM's name -> what it does; others do what their name encodes. */
  readonly llms?: Readonly<Record<string, Script>>
  readonly port?: number
}

export interface ProviderServer {
  /** E.g. http://127.0.0.1:40123; providers add /v1, /v1beta ... themselves. */
  readonly url: string
  readonly calls: readonly Call[]
  /** Calls that are still being answered. */
  running(): number
  /** Changes what an LLM does from its next call on. */
  script(llm: string, script: Script): void
  close(): Promise<void>
}

export async function startProviderServer(options: ProviderServerOptions = {}): Promise<ProviderServer> {
  const scripts = new Map<string, { readonly script: Script; used: number }>()
  const script = (llm: string, what: Script) => void scripts.set(llm, { script: what, used: 0 })
  for (const [llm, what] of Object.entries(options.llms ?? {})) script(llm, what)
  const calls: Call[] = []
  const desk: BatchDesk = createBatchDesk((llm, body) => nextBehaviour({ ...emptyCall, llm, body }))

  function nextBehaviour(call: Call): Behaviour {
    const entry = scripts.get(call.llm)
    if (!entry) return behaviourOf(call.llm)
    if (typeof entry.script === 'function') return entry.script(call)
    if (!Array.isArray(entry.script)) return entry.script as Behaviour
    return entry.script[Math.min(entry.used++, entry.script.length - 1)]!
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/'
    const body = await readBody(request)
    const protocol = protocols.find(({ llmOf }) => llmOf(path.split('?')[0]!, body) !== null)
    const llm = protocol?.llmOf(path.split('?')[0]!, body) ?? body.model ?? ''
    const call: Call = {
      path,
      llm,
      headers: request.headers as Record<string, string>,
      body,
      at: performance.now(),
      written: 0,
      endedBy: null,
      endedAt: null,
    }
    calls.push(call)
    response.on('close', () => {
      call.endedBy ??= response.writableFinished ? 'server' : 'client'
      call.endedAt = performance.now()
    })
    const behaviour = nextBehaviour(call)
    if (behaviour.isSilent) return
    if (behaviour.redirectTo) {
      response.writeHead(307, { location: behaviour.redirectTo }).end()
      return
    }
    if (behaviour.status) {
      const headers = behaviour.retryAfter ? { 'retry-after': behaviour.retryAfter } : {}
      response.writeHead(behaviour.status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify((protocol ?? openai).error(behaviour.status)))
      return
    }
    if (behaviour.garbage !== undefined) {
      response.writeHead(200, { 'content-type': 'text/html' }).end(behaviour.garbage)
      return
    }
    if (!protocol) return desk.answer(call, request.method!, response) ? undefined : answerOther(call, response)
    const content: Answer = {
      id: `answer_${calls.length}`,
      llm,
      behaviour,
      body,
      usage: usageOf(behaviour, protocol.inputTokens(body)),
    }
    if (!protocol.isStream(path, body)) {
      if (behaviour.firstTokenMs) await sleep(behaviour.firstTokenMs)
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(protocol.whole(content, piecesOf(behaviour).join(''))))
      return
    }
    await stream(protocol, content, call, response)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  server.keepAliveTimeout = 30_000
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    running: () => calls.filter(({ endedBy }) => endedBy === null).length,
    script,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const emptyCall: Call = { path: '', llm: '', headers: {}, body: {}, at: 0, written: 0, endedBy: null, endedAt: null }

async function readBody(request: IncomingMessage) {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString()
  if (!text) return {}
  return request.headers['content-type']?.includes('json') ? JSON.parse(text) : { text }
}

function usageOf(behaviour: Behaviour, input: number): ReportedUsage | null {
  if (behaviour.usage === null) return null
  const output = piecesOf(behaviour).length + (behaviour.toolCalls?.length ?? 0) * 5
  return { input, cached: behaviour.cachedTokens ?? 0, output, ...behaviour.usage }
}

async function stream(protocol: Protocol, answer: Answer, call: Call, response: ServerResponse): Promise<void> {
  const { behaviour } = answer
  const pieces = piecesOf(behaviour)
  const write = async (text: string): Promise<void> => {
    if (response.destroyed || text === '') return
    if (behaviour.isTorn) {
      for (const byte of Buffer.from(text)) {
        response.write(Buffer.of(byte))
        await new Promise(setImmediate)
      }
      return
    }
    if (response.write(text)) return
    await new Promise<void>((resolve) => {
      const go = () => {
        response.off('drain', go).off('close', go)
        resolve()
      }
      response.on('drain', go).on('close', go)
    })
  }
  response.writeHead(200, { 'content-type': protocol.contentType, 'cache-control': 'no-cache' })
  response.flushHeaders()
  if (behaviour.firstTokenMs) await sleep(behaviour.firstTokenMs)
  await write(protocol.head(answer))
  for (const piece of behaviour.reasoning ?? []) await write(protocol.reasoning(answer, piece))
  if (behaviour.replyBytes) await writeFlood(behaviour.replyBytes, write, response)
  const start = performance.now()
  let joined = ''
  for (let index = 0; index <= pieces.length && !response.destroyed; index++) {
    const isFault = [
      behaviour.dieAt,
      behaviour.cutAt,
      behaviour.stallAt,
      behaviour.errorFrameAt,
      behaviour.invalidJsonAt,
    ]
    if (isFault.includes(index)) {
      await write(joined)
      joined = ''
    }
    if (behaviour.dieAt === index) {
      call.endedBy = 'server'
      await sleep(20) // what was written has left before the connection breaks
      return void response.destroy()
    }
    if (behaviour.cutAt === index) return void response.end()
    if (behaviour.stallAt === index) return
    if (behaviour.errorFrameAt === index) {
      await write(protocol.errorFrame(answer))
      return void response.end()
    }
    if (behaviour.invalidJsonAt === index) await write(protocol.invalidJson(answer))
    if (index === pieces.length) break
    if (behaviour.everyMs && index > 0) {
      const wait = start + index * behaviour.everyMs - performance.now() // by the clock, so that late timers do not add up
      if (wait > 0) await sleep(wait)
    }
    if (behaviour.keepAlive) joined += protocol.keepAlive(answer)
    joined += protocol.text(answer, pieces[index]!, index)
    call.written++
    if ((index + 1) % (behaviour.perWrite ?? 1) === 0 || index === pieces.length - 1) {
      await write(joined)
      joined = ''
    }
  }
  if (response.destroyed) return
  for (const [index, toolCall] of (behaviour.toolCalls ?? []).entries())
    await write(protocol.toolCall(answer, toolCall, index))
  await write(protocol.tail(answer))
  response.end()
}

/** One frame that does not end for so many bytes. */
async function writeFlood(bytes: number, write: (text: string) => Promise<void>, response: ServerResponse) {
  const block = 'x'.repeat(65_536)
  await write('data: {"choices":[{"delta":{"content":"')
  for (let sent = 0; sent < bytes && !response.destroyed; sent += block.length) await write(block)
}
