import { z } from 'zod'
import { InklingError } from '../../platform/errors.ts'
import type { CompletionInput } from '../completion.ts'
import type { Content, LlmRequest, Message, ToolChoice } from '../provider.ts'

const text = z.string().max(1_000_000)
const textPart = z.object({ type: z.literal('text'), text })
const imagePart = z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string().max(20_000_000) }) })
const texts = z.union([text, z.array(textPart)])
const toolCall = z.object({
  id: z.string().max(200),
  type: z.literal('function').default('function'),
  function: z.object({ name: z.string().max(64), arguments: text }),
})
const message = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: texts }),
  z.object({ role: z.literal('developer'), content: texts }),
  z.object({ role: z.literal('user'), content: z.union([text, z.array(z.union([textPart, imagePart]))]) }),
  z.object({ role: z.literal('assistant'), content: texts.nullish(), tool_calls: z.array(toolCall).nullish() }),
  z.object({ role: z.literal('tool'), content: texts, tool_call_id: z.string().max(200) }),
])
const schema = z.record(z.string(), z.unknown())

/** What existing clients send; what changes nothing here is let through unread. */
const chat = z.object({
  model: z.string().min(1).max(200),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.number().nullish(),
  max_completion_tokens: z.number().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  seed: z.number().int().nullish(),
  n: z.literal(1).nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  tools: z
    .array(
      z.object({
        type: z.literal('function'),
        function: z.object({ name: z.string(), description: z.string().nullish(), parameters: schema.nullish() }),
      }),
    )
    .nullish(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
    ])
    .nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('text') }),
      z.object({ type: z.literal('json_object') }),
      z.object({
        type: z.literal('json_schema'),
        json_schema: z.object({ name: z.string(), schema: schema.nullish() }),
      }),
    ])
    .nullish(),
})

type Chat = z.infer<typeof chat>

/** A chat request as the engine takes it; whoever `model` names is to be found by the caller. */
export interface ChatQuestion {
  readonly model: string
  readonly input: Omit<CompletionInput, 'id' | 'targets' | 'strategy'>
  readonly isStreamed: boolean
  readonly withUsage: boolean
}

/** Throws BAD_USER_INPUT that names the field. */
export function readChat(body: unknown): ChatQuestion {
  const given = parsed(chat, body)
  return {
    model: given.model,
    isStreamed: given.stream ?? false,
    withUsage: given.stream_options?.include_usage ?? false,
    input: { request: requestOf(given) },
  }
}

const embeddings = z.object({
  model: z.string().min(1).max(200),
  input: z.union([z.string(), z.array(z.string())]),
  encoding_format: z.enum(['float', 'base64']).nullish(),
})

/** Throws BAD_USER_INPUT that names the field. */
export function readEmbeddings(body: unknown): { model: string; texts: readonly string[]; isBase64: boolean } {
  const { model, input, encoding_format } = parsed(embeddings, body)
  return { model, texts: [input].flat(), isBase64: encoding_format === 'base64' }
}

function parsed<Value>(shape: z.ZodType<Value>, body: unknown): Value {
  const result = shape.safeParse(body)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const field = issue!.path.join('.') || 'the body'
  throw new InklingError('BAD_USER_INPUT', `${field}: ${issue!.message}`, 'Correct the field.')
}

function requestOf(given: Chat): LlmRequest {
  const toolNames = new Map<string, string>()
  const tools = given.tools?.map(({ function: { name, description, parameters } }) => ({
    name,
    description: description ?? '',
    parameters: parameters ?? { type: 'object', properties: {} },
  }))
  const { response_format: format } = given
  const settings = {
    maxTokens: given.max_completion_tokens ?? given.max_tokens,
    temperature: given.temperature,
    topP: given.top_p,
    seed: given.seed,
    stop: given.stop == null ? undefined : [given.stop].flat(),
  }
  return {
    messages: given.messages.map((each) => messageOf(each, toolNames)),
    ...(tools?.length ? { tools, toolChoice: choiceOf(given.tool_choice) } : {}),
    ...(format?.type === 'json_object' ? { responseFormat: { name: 'answer', schema: null } } : {}),
    ...(format?.type === 'json_schema'
      ? { responseFormat: { name: format.json_schema.name, schema: format.json_schema.schema ?? null } }
      : {}),
    ...(Object.fromEntries(Object.entries(settings).filter(([, value]) => value != null)) as Partial<LlmRequest>),
  }
}

function messageOf(given: Chat['messages'][number], toolNames: Map<string, string>): Message {
  if (given.role === 'tool') {
    const id = given.tool_call_id
    const answer = textsOf(given.content)
      .map((piece) => (piece.type === 'text' ? piece.text : ''))
      .join('')
    return { role: 'tool', content: [{ type: 'toolResult', id, name: toolNames.get(id) ?? '', text: answer }] }
  }
  if (given.role !== 'assistant') {
    return { role: given.role === 'user' ? 'user' : 'system', content: textsOf(given.content) }
  }
  const calls = (given.tool_calls ?? []).map(({ id, function: { name, arguments: argumentsJson } }) => {
    toolNames.set(id, name)
    return { type: 'toolCall', id, name, argumentsJson } as const
  })
  return { role: 'assistant', content: [...(given.content == null ? [] : textsOf(given.content)), ...calls] }
}

function textsOf(content: string | readonly (z.infer<typeof textPart> | z.infer<typeof imagePart>)[]): Content[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((piece) => (piece.type === 'text' ? piece : imageOf(piece.image_url.url)))
}

/** Only data: an address would have to be fetched, and nobody fetches what a prompt names. */
function imageOf(url: string): Content {
  const [, mediaType, base64] = /^data:(image\/\w+);base64,(.*)$/s.exec(url) ?? []
  if (mediaType && base64) return { type: 'image', mediaType, base64 }
  throw new InklingError('BAD_USER_INPUT', 'Images come as data URLs.', 'Send data:image/png;base64,...')
}

function choiceOf(choice: Chat['tool_choice']): ToolChoice {
  if (choice == null) return 'auto'
  return typeof choice === 'string' ? choice : { name: choice.function.name }
}
