import { type Answer, countWords, type Protocol } from '../protocol.ts'

const line = (payload: unknown) => `${JSON.stringify(payload)}\n`
const at = '2026-01-01T00:00:00.000Z'

function done(answer: Answer) {
  return {
    done: true,
    done_reason: answer.behaviour.finish === 'length' ? 'length' : 'stop',
    total_duration: 5_000_000,
    ...(answer.usage ? { prompt_eval_count: answer.usage.input, eval_count: answer.usage.output } : {}),
  }
}

/** Ollama's own /api/chat: one JSON document per line. Its /v1 is the OpenAI protocol. */
export const ollama: Protocol = {
  name: 'ollama',
  contentType: 'application/x-ndjson',
  llmOf: (path, body) => (path.endsWith('/api/chat') ? (body.model ?? '') : null),
  isStream: (_path, body) => body.stream !== false,
  inputTokens: countWords,
  head: () => '',
  text: ({ llm }, content) =>
    line({ model: llm, created_at: at, message: { role: 'assistant', content }, done: false }),
  reasoning: ({ llm }, thinking) =>
    line({ model: llm, created_at: at, message: { role: 'assistant', content: '', thinking }, done: false }),
  toolCall: ({ llm }, call) =>
    line({
      model: llm,
      created_at: at,
      message: { role: 'assistant', content: '', tool_calls: [{ function: call }] },
      done: false,
    }),
  tail: (answer) =>
    line({ model: answer.llm, created_at: at, message: { role: 'assistant', content: '' }, ...done(answer) }),
  errorFrame: () => line({ error: 'an error was encountered while running the model' }),
  invalidJson: () => '{"model":"x","message":{"content":\n',
  keepAlive: () => '\n',
  whole: (answer, content) => ({
    model: answer.llm,
    created_at: at,
    message: { role: 'assistant', content },
    ...done(answer),
  }),
  error: (status) => ({ error: `this is a ${status}` }),
}
