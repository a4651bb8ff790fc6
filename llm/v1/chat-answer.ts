import { once } from 'node:events'
import type { Exchange } from '../../platform/exchange.ts'
import type { CompletionEnd, CompletionEvent, CompletionFinished, ToolCall } from '../completion.ts'
import type { Usage } from '../provider.ts'
import { faultOf, sendJson } from './faults.ts'

type Events = AsyncIterableIterator<CompletionEvent>

const ends: Record<CompletionEnd, string> = {
  STOP: 'stop',
  LENGTH: 'length',
  TOOL_CALLS: 'tool_calls',
  CONTENT_FILTER: 'content_filter',
  OTHER: 'stop',
  STOPPED: 'stop',
  ABANDONED: 'stop',
  INCOMPLETE: 'stop',
}

/** Sends the whole answer at once; one that broke in the middle is an error, since nobody could tell otherwise. */
export async function sendWhole({ response }: Exchange, events: Events): Promise<void> {
  let text = ''
  let target = ''
  let label: string | null = null
  const calls: ToolCall[] = []
  for await (const event of events) {
    if (event.type === 'STARTED') ({ target, label } = event)
    else if (event.type === 'TOKENS') text += event.text
    else if (event.type === 'TOOL') calls.push(event.call)
    else if (event.type === 'FAILED') return refuse(response, event.error)
    else if (event.type === 'FINISHED') {
      if (event.finishReason === 'INCOMPLETE') return refuse(response, brokenOf(event))
      return sendJson(response, 200, {
        ...headOf(event.id, 'chat.completion', target, label),
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: text === '' && calls.length > 0 ? null : text,
              refusal: null,
              ...(calls.length > 0 ? { tool_calls: calls.map(callOf) } : {}),
            },
            logprobs: null,
            finish_reason: ends[event.finishReason],
          },
        ],
        usage: usageOf(event.usage),
      })
    }
  }
}

/** Sends the answer as it comes; a client that does not read pauses it, and is cut after a while. */
export async function sendStream(exchange: Exchange, events: Events, withUsage: boolean): Promise<void> {
  const { response } = exchange
  let target = ''
  let label: string | null = null
  let calls = 0
  const write = async (payload: unknown): Promise<void> => {
    if (!response.headersSent) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
    }
    if (response.write(`data: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n`)) return
    await roomIn(exchange)
  }
  const chunk = (id: string, delta: object, reason: string | null = null) =>
    write({
      ...headOf(id, 'chat.completion.chunk', target, label),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
      ...(withUsage ? { usage: null } : {}),
    })
  for await (const event of events) {
    if (response.destroyed) return
    if (event.type === 'STARTED') {
      ;({ target, label } = event)
      await chunk(event.id, { role: 'assistant', content: '' })
    } else if (event.type === 'TOKENS') await chunk(event.id, { content: event.text })
    else if (event.type === 'TOOL') await chunk(event.id, { tool_calls: [{ index: calls++, ...callOf(event.call) }] })
    else if (event.type === 'FAILED') {
      if (!response.headersSent) return refuse(response, event.error)
      await write(faultOf(event.error).body)
    } else if (event.type === 'FINISHED') {
      if (event.finishReason === 'INCOMPLETE') await write(faultOf(brokenOf(event)).body)
      else await chunk(event.id, {}, ends[event.finishReason])
      if (withUsage) {
        const head = headOf(event.id, 'chat.completion.chunk', target, label)
        await write({ ...head, choices: [], usage: usageOf(event.usage) })
      }
    }
  }
  await write('[DONE]')
  response.end()
}

async function roomIn({ response, slowConsumerMs }: Exchange): Promise<void> {
  const gone = new AbortController()
  const leave = () => gone.abort()
  const timer = setTimeout(() => response.destroy(), slowConsumerMs)
  response.once('close', leave)
  try {
    if (!response.destroyed) await once(response, 'drain', { signal: gone.signal })
  } catch {
    // it is closed: the next event finds it so
  } finally {
    clearTimeout(timer)
    response.off('close', leave)
  }
}

function headOf(id: string, object: string, target: string, label: string | null) {
  return { id, object, created: Math.floor(Date.now() / 1_000), model: target, system_fingerprint: label }
}

function callOf({ id, name, argumentsJson }: ToolCall) {
  return { id, type: 'function', function: { name, arguments: argumentsJson } }
}

function usageOf({ inputTokens, cachedInputTokens, outputTokens }: Usage) {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
  }
}

function brokenOf({ problem }: CompletionFinished) {
  return { code: 'INCOMPLETE', message: `The answer broke in the middle: ${problem ?? 'unknown'}` }
}

function refuse(response: Exchange['response'], error: Parameters<typeof faultOf>[0]): void {
  const { status, body } = faultOf(error)
  sendJson(response, status, body)
}
