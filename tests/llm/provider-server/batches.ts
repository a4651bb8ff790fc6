// The batch interfaces: OpenAI's files and /v1/batches, whose answers are those of /v1/responses; Anthropic's /v1/messages/batches.
import type { ServerResponse } from 'node:http'
import { type Behaviour, type Call, piecesOf } from './behaviour.ts'
import { countWords } from './protocol.ts'
import { anthropic } from './protocols/anthropic.ts'

/** Where batches are handed in and fetched. */
export interface BatchDesk {
  /** Whether the call was about a batch. */
  answer(call: Call, method: string, response: ServerResponse): boolean
}

interface Item {
  readonly id: string
  readonly behaviour: Behaviour
  // biome-ignore lint/suspicious/noExplicitAny: the wire's own shape
  readonly body: any
}
interface Batch {
  readonly id: string
  readonly items: readonly Item[]
  looks: number
  isCancelled: boolean
}

export function createBatchDesk(behaviourOf: (llm: string, body: object) => Behaviour): BatchDesk {
  const files = new Map<string, string>()
  const batches = new Map<string, Batch>()

  function open(id: string, items: readonly { id: string; body: { model: string } }[]): Batch {
    const made = items.map((item) => ({ ...item, behaviour: behaviourOf(item.body.model, item.body) }))
    const batch = { id, items: made, looks: 0, isCancelled: false }
    batches.set(id, batch)
    return batch
  }
  const faults = ({ items }: Batch) => items[0]?.behaviour.batch ?? {}
  const isOver = (batch: Batch) => batch.isCancelled || batch.looks > (faults(batch).looks ?? 0)
  /** Those that were answered in time, the last first: results come in no order. */
  const answered = (batch: Batch) =>
    batch.items.slice(0, batch.isCancelled ? 0 : (faults(batch).expiresAfter ?? batch.items.length)).toReversed()
  const unanswered = (batch: Batch) => batch.items.filter((item) => !answered(batch).includes(item))

  function openaiBatch(batch: Batch) {
    const done = { output_file_id: `out_${batch.id}`, error_file_id: `err_${batch.id}` }
    const { isRefused } = faults(batch)
    const status = batch.isCancelled ? 'cancelled' : unanswered(batch).length > 0 ? 'expired' : 'completed'
    return {
      id: batch.id,
      object: 'batch',
      endpoint: '/v1/responses',
      completion_window: '24h',
      created_at: 1_700_000_000,
      status: isRefused ? 'failed' : isOver(batch) ? status : 'in_progress',
      ...(isRefused ? { errors: { object: 'list', data: [{ code: 'invalid', message: 'A line is not right' }] } } : {}),
      ...(isOver(batch) && !isRefused ? done : {}),
    }
  }
  function openaiLine({ id, behaviour, body }: Item): object {
    const { status } = behaviour
    if (status) {
      const error = { message: `This is a ${status}`, type: 'server_error', param: null, code: null }
      return { custom_id: id, response: { status_code: status, request_id: 'r', body: { error } }, error: null }
    }
    const text = piecesOf(behaviour).join('')
    const calls = (behaviour.toolCalls ?? []).map((call, index) => ({
      type: 'function_call',
      id: `fc_${index}`,
      call_id: `call_${index}`,
      name: call.name,
      arguments: JSON.stringify(call.arguments),
    }))
    const content = [{ type: 'output_text', text, annotations: [] }]
    const response = {
      id: `resp_${id}`,
      object: 'response',
      created_at: 1_700_000_000,
      model: body.model,
      output: [...(text ? [{ type: 'message', role: 'assistant', id: `msg_${id}`, content }] : []), ...calls],
      usage: {
        input_tokens: countWords(body.input),
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: piecesOf(behaviour).length,
        output_tokens_details: { reasoning_tokens: 0 },
      },
    }
    return { custom_id: id, response: { status_code: 200, request_id: 'r', body: response }, error: null }
  }
  const expiredLine = (batch: Batch, { id }: Item) => {
    const code = batch.isCancelled ? 'batch_cancelled' : 'batch_expired'
    return { custom_id: id, response: null, error: { code, message: 'It came to nothing' } }
  }

  function anthropicBatch(batch: Batch, host: string) {
    const counts = { processing: 0, succeeded: answered(batch).length, errored: 0, canceled: 0, expired: 0 }
    return {
      id: batch.id,
      type: 'message_batch',
      processing_status: isOver(batch) ? 'ended' : 'in_progress',
      request_counts: counts,
      created_at: '2026-01-01T00:00:00Z',
      expires_at: '2026-01-02T00:00:00Z',
      ended_at: isOver(batch) ? '2026-01-01T01:00:00Z' : null,
      results_url: isOver(batch) ? `http://${host}/v1/messages/batches/${batch.id}/results` : null,
    }
  }
  function anthropicLine({ id, behaviour, body }: Item): object {
    const { status } = behaviour
    if (status) {
      const type = status < 500 ? 'invalid_request_error' : 'api_error'
      const error = { type: 'error', error: { type, message: `This is a ${status}` } }
      return { custom_id: id, result: { type: 'errored', error } }
    }
    const usage = { input: countWords(body.messages), cached: 0, output: piecesOf(behaviour).length }
    const answer = { id: `msg_${id}`, llm: body.model, behaviour, body, usage }
    const message = anthropic.whole(answer, piecesOf(behaviour).join(''))
    return { custom_id: id, result: { type: 'succeeded', message } }
  }

  return {
    answer({ path, body, headers }, method, response) {
      const send = (payload: object) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(payload))
      const sendLines = (lines: readonly object[]) =>
        void response
          .writeHead(200, { 'content-type': 'application/x-jsonl' })
          .end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      const [, isAnthropic, given, act] = /^\/v1(\/messages)?\/batches(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? []
      const lines = (text: string) => text.split(/\r?\n/).filter((line) => line.startsWith('{'))
      if (path === '/v1/files' && method === 'POST') {
        const id = `file-${files.size + 1}`
        files.set(id, body.text)
        send({ id, object: 'file', bytes: body.text.length, created_at: 1, filename: 'batch.jsonl', purpose: 'batch' })
        return true
      }
      const [, file] = /^\/v1\/files\/([^/]+)\/content$/.exec(path) ?? []
      if (file) {
        const batch = batches.get(file.slice(4))!
        const isErrors = file.startsWith('err_')
        sendLines(
          isErrors ? unanswered(batch).map((item) => expiredLine(batch, item)) : answered(batch).map(openaiLine),
        )
        return true
      }
      if (!/^\/v1(\/messages)?\/batches/.test(path)) return false
      const show = (batch: Batch) => send(isAnthropic ? anthropicBatch(batch, headers.host!) : openaiBatch(batch))
      if (!given) {
        const items = isAnthropic
          ? body.requests.map((one: { custom_id: string; params: object }) => ({ id: one.custom_id, body: one.params }))
          : lines(files.get(body.input_file_id)!).map((line) => {
              const { custom_id, body: asked } = JSON.parse(line)
              return { id: custom_id, body: asked }
            })
        show(open(`batch_${batches.size + 1}`, items))
        return true
      }
      const batch = batches.get(given)!
      if (act === 'results') {
        const late = unanswered(batch).map(({ id }) => ({ custom_id: id, result: { type: 'expired' } }))
        sendLines([...late, ...answered(batch).map(anthropicLine)])
        return true
      }
      if (act === 'cancel') batch.isCancelled = true
      else batch.looks++
      show(batch)
      return true
    },
  }
}
