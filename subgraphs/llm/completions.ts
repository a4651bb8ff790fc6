import type { Completion, CompletionEnd, CompletionSource, ToolCall } from '../../llm/completion.ts'
import { cursorOf } from '../../llm/completion-store.ts'
import type { Usage } from '../../llm/provider.ts'
import { type ErrorCode, InklingError } from '../../platform/errors.ts'
import { withErrors } from '../../schema/errors.ts'
import { forwardPage } from '../../schema/forward-page.ts'
import { type InputRefs, questionOf } from './input.ts'
import type { LlmBuilder, LlmContext } from './subgraph.ts'

// biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
export type ResultOf = (payload: any, unionName: string) => any

export type CompletionRefs = ReturnType<typeof registerCompletions>

const failures = [
  'InvalidInputError',
  'NotFoundError',
  'ForbiddenError',
  'ConflictError',
  'RateLimitedError',
  'BudgetExceededError',
  'UnavailableError',
] as const

/** Registers completions as they are kept, the mutations that ask for one and stop one, and the queries that find them. */
export function registerCompletions(builder: LlmBuilder, { CompletionInputRef }: InputRefs, resultOf: ResultOf) {
  const EndRef = builder.enumType('CompletionFinishReason', {
    description: 'Why an answer ended.',
    values: {
      STOP: { description: 'It is complete.' },
      LENGTH: { description: 'It reached maxTokens.' },
      TOOL_CALLS: { description: 'It waits for the tools that it asked for.' },
      CONTENT_FILTER: { description: 'The provider withheld the rest.' },
      OTHER: { description: 'The provider did not say.' },
      INCOMPLETE: { description: 'It broke in the middle.' },
      STOPPED: { description: 'stopCompletion ended it.' },
      ABANDONED: { description: 'Nobody read it any more.' },
    } as const satisfies Record<CompletionEnd, object>,
  })
  const SourceRef = builder.enumType('CompletionSource', {
    description: 'Where an answer came from.',
    values: {
      CALL: { description: 'A call of its own.' },
      SHARED: { description: 'The call of an identical question at the same time; it costs nothing more.' },
      CACHE: { description: 'An earlier answer to the same question.' },
    } as const satisfies Record<CompletionSource, object>,
  })
  const StateRef = builder.enumType('CompletionState', {
    description: 'Where a completion stands.',
    values: {
      RUNNING: { description: 'It is being answered.' },
      FINISHED: { description: 'It ended, in whichever way finishReason says.' },
      FAILED: { description: 'Nobody could answer.' },
    } as const,
  })
  const UsageRef = builder.objectRef<Usage>('TokenUsage').implement({
    description: 'Tokens of one answer, over all its attempts.',
    fields: (t) => ({
      inputTokens: t.exposeInt('inputTokens', { description: 'Of the question.' }),
      cachedInputTokens: t.exposeInt('cachedInputTokens', {
        description: "Part of them, read from the provider's prompt cache.",
      }),
      outputTokens: t.exposeInt('outputTokens', { description: 'Of the answer.' }),
      isEstimated: t.exposeBoolean('isEstimated', {
        description: 'Whether the provider reported nothing believable, so that they were counted here.',
      }),
    }),
  })
  const ToolCallRef = builder.objectRef<ToolCall>('ToolCall').implement({
    description: 'A function that the LLM asks the caller to run.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Name it in the message with the answer.' }),
      name: t.exposeString('name', { description: 'The tool.' }),
      argumentsJson: t.exposeString('argumentsJson', {
        description: 'Its arguments as the LLM wrote them: data that nobody has checked.',
      }),
    }),
  })
  const ProblemRef = builder.objectRef<NonNullable<Completion['error']>>('CompletionProblem').implement({
    description: 'Why a completion failed.',
    fields: (t) => ({
      code: t.exposeString('code', { description: 'A stable code for programs.' }),
      message: t.exposeString('message', { description: 'What happened.' }),
      hint: t.exposeString('hint', { description: 'What to do next.' }),
    }),
  })
  const CompletionRef = builder.objectRef<Completion>('Completion').implement({
    description: 'One answer of an LLM.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Its id among those of its viewer.' }),
      askedBy: t.exposeString('viewerId', { description: 'The id of the viewer who asked.' }),
      promptName: t.exposeString('prompt', {
        description: 'The prompt it was made from; empty for a question without one.',
      }),
      state: t.expose('state', { type: StateRef, description: 'Where it stands.' }),
      target: t.exposeString('target', { nullable: true, description: 'Who answered; null when nobody did.' }),
      label: t.exposeString('label', {
        nullable: true,
        description: 'BUILTIN_NOT_AN_LLM where no language model answered.',
      }),
      source: t.expose('source', { type: SourceRef, nullable: true, description: 'Where the answer came from.' }),
      text: t.exposeString('text', { description: 'The answer: plain text that nobody has checked. Escape it.' }),
      toolCalls: t.field({
        type: [ToolCallRef],
        description: 'Tools it asks for.',
        resolve: ({ toolCalls }) => [...toolCalls],
      }),
      finishReason: t.expose('finishReason', {
        type: EndRef,
        nullable: true,
        description: 'Why it ended; null while it runs or when it failed.',
      }),
      error: t.expose('error', { type: ProblemRef, nullable: true, description: 'Why it failed.' }),
      problem: t.exposeString('problem', { nullable: true, description: 'Why it is INCOMPLETE.' }),
      usage: t.expose('usage', { type: UsageRef, description: 'Tokens as the provider reported them.' }),
      costUsd: t.exposeFloat('costUsd', { description: 'What it cost.' }),
      firstTokenMs: t.exposeInt('firstTokenMs', { nullable: true, description: 'From asking to its first token.' }),
      startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it was asked.' }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    }),
  })

  builder.queryFields((t) => ({
    completion: t.field({
      type: CompletionRef,
      nullable: true,
      scopes: ['llm:use'],
      description: 'A completion of yours; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
      resolve: async (_root, { id }, { llm, viewer }) => llm.completions.find(String(id), viewer),
    }),
    completions: t.connection(
      {
        type: CompletionRef,
        scopes: ['llm:read'],
        description: "The tenant's completions, newest first. Forward only.",
        args: { isOwn: t.arg.boolean({ description: 'Only your own. Default: false.' }) },
        resolve: (_root, { isOwn, ...args }, { llm, viewer }) =>
          forwardPage(
            args,
            viewer,
            async (page) => {
              const { completions, hasNext } = await llm.completions.list(viewer, { ...page, isOwn: isOwn ?? false })
              return { nodes: completions as Completion[], hasNext }
            },
            cursorOf,
          ),
      },
      { description: 'A page of completions.' },
      { description: 'A completion of a page.' },
    ),
  }))

  const payload = (name: string, description: string) =>
    resultOf(
      builder.objectRef<{ completion: Completion }>(`${name}Payload`).implement({
        description,
        fields: (t) => ({
          completion: t.expose('completion', { type: CompletionRef, description: 'The completion.' }),
        }),
      }),
      `${name}Result`,
    )
  const StopInput = builder.inputType('StopCompletionInput', {
    description: 'Which completion to stop.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Its id.' }) }),
  })
  builder.mutationFields((t) => ({
    completion: t.field({
      scopes: ['llm:use'],
      type: payload('Completion', 'The whole answer.'),
      description: 'Asks, and waits for the whole answer. Subscribe to completionEvents to see it come.',
      args: { input: t.arg({ type: CompletionInputRef, required: true, description: 'The question.' }) },
      resolve: (_root, { input }, context) =>
        withErrors(failures, async () => ({ completion: await answerWhole(questionOf(input), context) })) as never,
    }),
    stopCompletion: t.field({
      scopes: ['llm:use'],
      type: payload('StopCompletion', 'The completion with what it came to; unchanged when it was over already.'),
      description: 'Ends an answer of yours: its provider is told at once, and what it used is paid.',
      args: { input: t.arg({ type: StopInput, required: true, description: 'Which one.' }) },
      resolve: (_root, { input }, { llm, viewer }) =>
        withErrors(failures, async () => ({
          completion: await llm.completions.stop(String(input.id), viewer),
        })) as never,
    }),
  }))
  return { CompletionRef, EndRef, SourceRef, UsageRef, ToolCallRef }
}

/** Reads an answer to its end. A client that goes away leaves it as one that unsubscribes does. */
async function answerWhole(
  question: ReturnType<typeof questionOf>,
  { llm, viewer, signal }: LlmContext,
): Promise<Completion> {
  const events = await llm.completions.ask(question, viewer)
  const leave = () => void events.return()
  signal?.addEventListener('abort', leave, { once: true })
  try {
    for await (const event of events) {
      if (event.type === 'FAILED')
        throw new InklingError(event.error.code as ErrorCode, event.error.message, event.error.hint)
      if (event.type === 'FINISHED') return await llm.completions.ended(event.id, viewer)
    }
    throw new InklingError('CANCELLED', 'The answer was not waited for.', 'Ask again with the same id to have it.')
  } finally {
    signal?.removeEventListener('abort', leave)
  }
}
