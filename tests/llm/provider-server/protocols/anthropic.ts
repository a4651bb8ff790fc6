import { type Answer, countWords, type Protocol, sse } from '../protocol.ts'

const reasons = { stop: 'end_turn', length: 'max_tokens', contentFilter: 'refusal' } as const
const event = (payload: { type: string; [key: string]: unknown }) => sse(payload, payload.type)
const blockStart = (index: number, content_block: object) =>
  event({ type: 'content_block_start', index, content_block })
const blockDelta = (index: number, delta: object) => event({ type: 'content_block_delta', index, delta })
const blockStop = (index: number) => event({ type: 'content_block_stop', index })

// Text is block 0, reasoning block 100 and following, tools block 1 and following: the order in which blocks open is free.
const REASONING = 100

function finishOf({ behaviour }: Answer): string {
  return behaviour.toolCalls ? 'tool_use' : reasons[behaviour.finish ?? 'stop']
}

/** Anthropic's messages: typed events, usage in two places, pings in between. */
export const anthropic: Protocol = {
  name: 'anthropic',
  contentType: 'text/event-stream',
  llmOf: (path, body) => (path.endsWith('/messages') ? (body.model ?? '') : null),
  isStream: (_path, body) => body.stream === true,
  inputTokens: countWords,
  head: (answer) =>
    event({
      type: 'message_start',
      message: {
        id: answer.id,
        type: 'message',
        role: 'assistant',
        model: answer.llm,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: {
          input_tokens: (answer.usage?.input ?? 0) - (answer.usage?.cached ?? 0),
          cache_read_input_tokens: answer.usage?.cached ?? 0,
          cache_creation_input_tokens: 0,
          output_tokens: 0,
        },
      },
    }),
  text: (_answer, piece, index) =>
    (index === 0 ? blockStart(0, { type: 'text', text: '' }) : '') + blockDelta(0, { type: 'text_delta', text: piece }),
  reasoning: (_answer, piece) =>
    blockStart(REASONING, { type: 'thinking', thinking: '' }) +
    blockDelta(REASONING, { type: 'thinking_delta', thinking: piece }) +
    blockStop(REASONING),
  toolCall(_answer, call, index) {
    const json = JSON.stringify(call.arguments)
    const half = Math.ceil(json.length / 2)
    const at = index + 1
    return (
      blockStart(at, { type: 'tool_use', id: `toolu_${index}`, name: call.name, input: {} }) +
      blockDelta(at, { type: 'input_json_delta', partial_json: json.slice(0, half) }) +
      blockDelta(at, { type: 'input_json_delta', partial_json: json.slice(half) }) +
      blockStop(at)
    )
  },
  tail: (answer) =>
    (answer.behaviour.toolCalls ? '' : blockStop(0)) +
    event({
      type: 'message_delta',
      delta: { stop_reason: finishOf(answer), stop_sequence: null },
      usage: { output_tokens: answer.usage?.output ?? 0 },
    }) +
    event({ type: 'message_stop' }),
  errorFrame: () => event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
  invalidJson: () => 'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":\n\n',
  keepAlive: () => event({ type: 'ping' }),
  whole: (answer, text) => ({
    id: answer.id,
    type: 'message',
    role: 'assistant',
    model: answer.llm,
    content: [{ type: 'text', text }],
    stop_reason: finishOf(answer),
    stop_sequence: null,
    usage: { input_tokens: answer.usage?.input ?? 0, output_tokens: answer.usage?.output ?? 0 },
  }),
  error: (status) => ({
    type: 'error',
    error: {
      type:
        status === 429
          ? 'rate_limit_error'
          : status === 529
            ? 'overloaded_error'
            : status < 500
              ? 'invalid_request_error'
              : 'api_error',
      message: `This is a ${status}`,
    },
  }),
}
