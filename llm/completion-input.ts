import { InklingError } from '../platform/errors.ts'
import type { CompletionInput } from './completion.ts'
import type { Content } from './provider.ts'

const ID = /^[\w.:-]{1,100}$/
const MOST_MESSAGES = 1_000
const MOST_TOKENS = 1_000_000
const MOST_TOOLS = 128
const IMAGE = /^image\/(png|jpeg|gif|webp)$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const DEEPEST_SCHEMA = 32
const MOST_DEADLINE_MS = 3_600_000

/** Refuses what no provider should be asked. Throws BAD_USER_INPUT that names the part. */
export function checkInput({ id, request, prompt = '', deadlineMs }: CompletionInput): void {
  const { messages, maxTokens, temperature, topP, tools = [], stop = [] } = request
  if (id !== undefined && !ID.test(id)) throw refused('The id', 'has 1 to 100 letters, digits, and . : _ -')
  if (prompt.length > 200) throw refused('The name of the prompt', 'has 200 characters at most')
  if (messages.length === 0 || messages.length > MOST_MESSAGES) throw refused('A question', 'has 1 to 1,000 messages')
  if (!messages.some(({ role }) => role === 'user' || role === 'tool'))
    throw refused('A question', 'has a message of a user')
  for (const { content } of messages) for (const piece of content) checkContent(piece)
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens >= 1 && maxTokens <= MOST_TOKENS)) {
    throw refused('maxTokens', 'lies between 1 and 1,000,000')
  }
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2))
    throw refused('temperature', 'lies between 0 and 2')
  if (topP !== undefined && !(topP > 0 && topP <= 1)) throw refused('topP', 'lies above 0 and up to 1')
  if (stop.length > 16 || stop.some((text) => text === '' || text.length > 200)) {
    throw refused('stop', 'names 16 texts at most, of 1 to 200 characters')
  }
  if (tools.length > MOST_TOOLS || tools.some(({ name }) => !/^[\w-]{1,64}$/.test(name))) {
    throw refused('tools', 'are 128 at most, named with 1 to 64 letters, digits, _ and -')
  }
  for (const schema of [...tools.map(({ parameters }) => parameters), request.responseFormat?.schema]) {
    if (schema && depthOf(schema) > DEEPEST_SCHEMA) throw refused('A JSON schema', 'nests 32 levels deep at most')
  }
  if (deadlineMs !== undefined && !(deadlineMs >= 1 && deadlineMs <= MOST_DEADLINE_MS)) {
    throw refused('deadlineMs', 'lies between 1 and 3,600,000')
  }
}

function checkContent(piece: Content): void {
  if (piece.type !== 'image') return
  if (!IMAGE.test(piece.mediaType)) throw refused('An image', 'is a PNG, JPEG, GIF or WebP')
  if (!BASE64.test(piece.base64)) throw refused('An image', 'comes as base64 without a prefix')
}

/** Level by level: whatever walks a value by calling itself ends at the stack's end. */
function depthOf(value: unknown): number {
  let depth = 0
  let level: unknown[] = [value]
  while (level.length > 0 && depth <= DEEPEST_SCHEMA) {
    depth++
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
  }
  return depth
}

function refused(part: string, rule: string): InklingError {
  return new InklingError('BAD_USER_INPUT', `${part} is refused.`, `${part} ${rule}.`)
}
