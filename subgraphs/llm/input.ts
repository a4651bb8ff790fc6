import type { CompletionInput } from '../../llm/completion.ts'
import type { Content, JsonSchema, Message, Tool } from '../../llm/provider.ts'
import { InklingError, messageOf } from '../../platform/errors.ts'
import type { LlmBuilder } from './subgraph.ts'

export type InputRefs = ReturnType<typeof registerInput>

/** Registers what a question is made of. */
export function registerInput(builder: LlmBuilder) {
  const PriorityRef = builder.enumType('CompletionPriority', {
    description: 'Who goes first where calls wait for a target.',
    values: {
      INTERACTIVE: { description: 'Somebody waits for it.' },
      BATCH: {
        description:
          'It may wait: whoever has somebody waiting goes first, and a target with a batch interface gets it together with others, to answer within a day.',
      },
    } as const,
  })
  const RoleRef = builder.enumType('MessageRole', {
    description: 'Who says something.',
    values: {
      SYSTEM: { description: 'Whoever set the LLM up.' },
      USER: { description: 'Whoever asks.' },
      ASSISTANT: { description: 'The LLM, earlier.' },
      TOOL: { description: 'A tool that the LLM had asked for.' },
    } as const,
  })
  const ImageInput = builder.inputType('ImageInput', {
    description: 'A picture, as data: addresses are never fetched.',
    fields: (t) => ({
      mediaType: t.string({ required: true, description: 'image/png, image/jpeg, image/gif or image/webp.' }),
      base64: t.string({ required: true, description: 'Its bytes as base64, without a prefix.' }),
    }),
  })
  const CallInput = builder.inputType('ToolCallInput', {
    description: 'What the LLM asked a tool for, given back to it.',
    fields: (t) => ({
      id: t.string({ required: true, description: 'Its id, as it came.' }),
      name: t.string({ required: true, description: 'The tool.' }),
      argumentsJson: t.string({ required: true, description: 'Its arguments, as they came.' }),
    }),
  })
  const MessageInput = builder.inputType('MessageInput', {
    description: 'One message of a conversation.',
    fields: (t) => ({
      role: t.field({ type: RoleRef, required: true, description: 'Who says it.' }),
      text: t.string({ description: 'What is said; of a TOOL, its answer.' }),
      images: t.field({ type: [ImageInput], description: 'Pictures.' }),
      toolCalls: t.field({ type: [CallInput], description: 'Of an ASSISTANT: the tools it asked for.' }),
      toolCallId: t.string({ description: 'Of a TOOL: the id of the call that it answers.' }),
      toolName: t.string({ description: 'Of a TOOL: its name.' }),
    }),
  })
  const ToolInput = builder.inputType('ToolInput', {
    description: 'A function that the LLM may ask the caller to run.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'Its name.' }),
      description: t.string({ required: true, description: 'What it does, for the LLM.' }),
      parameters: t.string({ required: true, description: 'JSON schema of its arguments, as text.' }),
    }),
  })
  const CompletionInputRef = builder.inputType('CompletionInput', {
    description: 'A question: a prompt, or the messages of a conversation.',
    fields: (t) => ({
      id: t.id({
        description: 'Your own name for it: who asks again with it joins the same answer and never pays twice.',
      }),
      prompt: t.string({ description: 'One message of a user. Excludes messages.' }),
      system: t.string({ description: 'How the LLM is to answer; comes before everything else.' }),
      messages: t.field({ type: [MessageInput], description: 'A conversation. Excludes prompt.' }),
      tools: t.field({ type: [ToolInput], description: 'Functions that the LLM may ask for.' }),
      toolChoice: t.string({ description: '"auto" (default), "none", "required", or the name of a tool.' }),
      jsonSchema: t.string({ description: 'The answer has to be JSON of this schema, given as text; "{}" takes any.' }),
      maxTokens: t.int({ description: 'Output tokens at most. What may be spent is set aside by it.' }),
      temperature: t.float({ description: '0..2. At 0 equal questions share one call, and answers are kept a while.' }),
      topP: t.float({ description: '0..1.' }),
      stop: t.stringList({ description: 'Texts that end the answer.' }),
      seed: t.int({ description: 'Makes a repeated answer likelier to be the same.' }),
      promptName: t.string({ description: 'Name of the prompt it was made from: for budgets and usage.' }),
      strategy: t.string({ description: 'How targets are ordered; the configuration says what there is.' }),
      targets: t.stringList({ description: 'The only targets to consider, by name.' }),
      task: t.string({ description: 'What is to be done, such as "summarize": for the declared quality.' }),
      priority: t.field({ type: PriorityRef, description: 'Default: INTERACTIVE.' }),
      deadlineMs: t.int({ description: 'How long it may take over all, waits included.' }),
      isContinuable: t.boolean({
        description: 'Whether another target may go on with an answer that broke. Default: false.',
      }),
    }),
  })
  return { CompletionInputRef }
}

type Given = InputRefs['CompletionInputRef']['$inferInput']

/** The question as the engine takes it. Throws BAD_USER_INPUT. */
export function questionOf(given: Given): CompletionInput {
  const { prompt, messages, system } = given
  if ((prompt == null) === (messages == null))
    throw badInput('Give either prompt or messages.', 'Leave one of them out.')
  const conversation: Message[] = [
    ...(system == null ? [] : [{ role: 'system', content: [{ type: 'text', text: system }] } as const]),
    ...(prompt == null ? [] : [{ role: 'user', content: [{ type: 'text', text: prompt }] } as const]),
    ...(messages ?? []).map(messageOfInput),
  ]
  return {
    ...present('id', given.id === null ? undefined : given.id),
    ...present('prompt', given.promptName),
    ...present('strategy', given.strategy),
    ...present('targets', given.targets),
    ...present('task', given.task),
    ...present('deadlineMs', given.deadlineMs),
    ...present('isContinuable', given.isContinuable),
    priority: given.priority === 'BATCH' ? 'batch' : 'interactive',
    request: {
      messages: conversation,
      ...(given.tools?.length ? { tools: given.tools.map(toolOf), toolChoice: choiceOf(given.toolChoice) } : {}),
      ...(given.jsonSchema == null ? {} : { responseFormat: { name: 'answer', schema: schemaOf(given.jsonSchema) } }),
      ...present('maxTokens', given.maxTokens),
      ...present('temperature', given.temperature),
      ...present('topP', given.topP),
      ...present('stop', given.stop),
      ...present('seed', given.seed),
    },
  }
}

function messageOfInput(message: NonNullable<Given['messages']>[number]): Message {
  const { role, text, images, toolCalls, toolCallId, toolName } = message
  if (role === 'TOOL') {
    if (toolCallId == null) throw badInput('A TOOL message names the call that it answers.', 'Give toolCallId.')
    return { role: 'tool', content: [{ type: 'toolResult', id: toolCallId, name: toolName ?? '', text: text ?? '' }] }
  }
  const content: Content[] = [
    ...(text == null ? [] : [{ type: 'text', text } as const]),
    ...(images ?? []).map((image) => ({ type: 'image', ...image }) as const),
    ...(toolCalls ?? []).map((call) => ({ type: 'toolCall', ...call }) as const),
  ]
  if (content.length === 0) throw badInput('A message is empty.', 'Give it text, images or toolCalls.')
  return { role: ({ SYSTEM: 'system', USER: 'user', ASSISTANT: 'assistant' } as const)[role], content }
}

function toolOf({ name, description, parameters }: NonNullable<Given['tools']>[number]): Tool {
  return { name, description, parameters: objectOf(parameters, `The parameters of ${name}`) }
}

function choiceOf(choice: string | null | undefined) {
  if (choice == null) return 'auto'
  return choice === 'auto' || choice === 'none' || choice === 'required' ? choice : { name: choice }
}

function schemaOf(text: string): JsonSchema | null {
  const schema = objectOf(text, 'jsonSchema')
  return Object.keys(schema).length === 0 ? null : schema
}

function objectOf(text: string, what: string): JsonSchema {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonSchema
  } catch (error) {
    throw badInput(`${what}: no JSON: ${messageOf(error)}`, 'Send a JSON schema as text.')
  }
  throw badInput(`${what}: no JSON object.`, 'Send a JSON schema as text.')
}

function present<Name extends string, Value>(name: Name, value: Value | null | undefined) {
  return (value == null ? {} : { [name]: value }) as { [key in Name]?: Value }
}

function badInput(message: string, hint: string): InklingError {
  return new InklingError('BAD_USER_INPUT', message, hint)
}
