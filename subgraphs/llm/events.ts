import type {
  CompletionEvent,
  CompletionEventsCut,
  CompletionFailed,
  CompletionFinished,
  CompletionStarted,
  CompletionTokensAdded,
  CompletionToolCalled,
} from '../../llm/completion.ts'
import { isInklingError } from '../../platform/errors.ts'
import { badInput } from '../../schema/forward-page.ts'
import type { CompletionRefs } from './completions.ts'
import { type InputRefs, questionOf } from './input.ts'
import type { LlmBuilder, LlmContext } from './subgraph.ts'

const typeNames: Record<CompletionEvent['type'], string> = {
  STARTED: 'CompletionStarted',
  TOKENS: 'CompletionTokensAdded',
  TOOL: 'CompletionToolCalled',
  FINISHED: 'CompletionFinished',
  FAILED: 'CompletionFailed',
  CUT: 'CompletionEventsCut',
}

/** Registers what happens to completions and the subscription that follows one. */
export function registerEvents(builder: LlmBuilder, { CompletionInputRef }: InputRefs, refs: CompletionRefs): void {
  const PlaceRef = builder.interfaceRef<CompletionEvent>('CompletionProgress').implement({
    description: 'What every event of a completion has.',
    resolveType: ({ type }) => typeNames[type],
    fields: (t) => ({
      id: t.exposeID('id', { description: 'The completion.' }),
      sequence: t.exposeInt('sequence', {
        description:
          'How far the answer has come. Pass the last one as `after` to resume without gap or repeat. The start, every UTF-16 unit of text, every tool call and the end count one each.',
      }),
    }),
  })
  const interfaces = [PlaceRef]
  const Started = builder.objectRef<CompletionStarted>('CompletionStarted').implement({
    interfaces,
    description: 'Somebody answers.',
    fields: (t) => ({
      target: t.exposeString('target', { description: 'Who.' }),
      label: t.exposeString('label', {
        nullable: true,
        description: 'BUILTIN_NOT_AN_LLM where no language model answers.',
      }),
      source: t.expose('source', { type: refs.SourceRef, description: 'Where the answer comes from.' }),
    }),
  })
  const TokensAdded = builder.objectRef<CompletionTokensAdded>('CompletionTokensAdded').implement({
    interfaces,
    description: 'More of the answer: the first token at once, later ones joined for 25 ms, longer under load.',
    fields: (t) => ({
      text: t.exposeString('text', { description: 'Plain text that nobody has checked. Escape it.' }),
    }),
  })
  const ToolCalled = builder.objectRef<CompletionToolCalled>('CompletionToolCalled').implement({
    interfaces,
    description: 'The LLM asks for a tool. Run it and ask again with its answer.',
    fields: (t) => ({ call: t.expose('call', { type: refs.ToolCallRef, description: 'Which, with what.' }) }),
  })
  const Finished = builder.objectRef<CompletionFinished>('CompletionFinished').implement({
    interfaces,
    description: 'It ended. The last event.',
    fields: (t) => ({
      finishReason: t.expose('finishReason', { type: refs.EndRef, description: 'Why.' }),
      target: t.exposeString('target', {
        nullable: true,
        description: 'Who answered; null when it was stopped before.',
      }),
      label: t.exposeString('label', {
        nullable: true,
        description: 'BUILTIN_NOT_AN_LLM where no language model answered.',
      }),
      source: t.expose('source', { type: refs.SourceRef, description: 'Where the answer came from.' }),
      usage: t.expose('usage', { type: refs.UsageRef, description: 'Tokens as the provider reported them.' }),
      costUsd: t.exposeFloat('costUsd', { description: 'What it cost.' }),
      firstTokenMs: t.float({
        nullable: true,
        description: 'From asking to its first token.',
        resolve: ({ firstTokenMs }) => firstTokenMs,
      }),
      durationMs: t.exposeFloat('durationMs', { description: 'From asking to its end.' }),
      problem: t.exposeString('problem', { nullable: true, description: 'Why it is INCOMPLETE.' }),
    }),
  })
  const Failed = builder.objectRef<CompletionFailed>('CompletionFailed').implement({
    interfaces,
    description: 'Nobody could answer, or there is nothing to follow. The last event.',
    fields: (t) => ({
      code: t.string({ description: 'A stable code for programs.', resolve: ({ error }) => error.code }),
      message: t.string({ description: 'What happened.', resolve: ({ error }) => error.message }),
      hint: t.string({ description: 'What to do next.', resolve: ({ error }) => error.hint }),
    }),
  })
  const Cut = builder.objectRef<CompletionEventsCut>('CompletionEventsCut').implement({
    interfaces,
    description:
      'You read too slowly and were let go. Subscribe again with this `sequence` as `after`: nothing is lost.',
  })
  const EventRef = builder.unionType('CompletionEvent', {
    description:
      'Something that happened to a completion. CompletionFinished, CompletionFailed and CompletionEventsCut end the stream.',
    types: [Started, TokensAdded, ToolCalled, Finished, Failed, Cut],
    resolveType: ({ type }) => typeNames[type],
  })

  builder.subscriptionFields((t) => ({
    completionEvents: t.field({
      type: EventRef,
      scopes: ['llm:use'],
      description:
        'The events of a completion of yours: asks `input`, or joins the completion of its id; or follows `id`. When its last reader goes, it goes on for 15 s, for who comes back.',
      args: {
        input: t.arg({ type: CompletionInputRef, description: 'The question. Excludes id.' }),
        id: t.arg.id({ description: 'A completion that was begun already. Excludes input.' }),
        after: t.arg.int({ description: 'Only what comes after this sequence. Default: 0, from the beginning.' }),
      },
      subscribe: (_root, { input, id, after }, context) => {
        if ((input == null) === (id == null)) throw badInput('Give either input or id.')
        if (after != null && after < 0) throw badInput('after is a sequence of an event: 0 or more.')
        return eventsOf(
          () =>
            input == null
              ? context.llm.completions.follow(String(id), context.viewer, after ?? 0)
              : context.llm.completions.ask(questionOf(input), context.viewer, after ?? 0),
          context,
          String(id ?? input?.id ?? ''),
          after ?? 0,
        )
      },
      resolve: (event) => event,
    }),
  }))
}

/** A refusal is an event like the others: an iterator that throws loses its message on the way. */
async function eventsOf(
  open: () => Promise<AsyncIterableIterator<CompletionEvent>>,
  { signal }: LlmContext,
  id: string,
  after: number,
): Promise<AsyncIterableIterator<CompletionEvent>> {
  try {
    const events = await open()
    const leave = () => void events.return?.()
    if (signal?.aborted) leave()
    else signal?.addEventListener('abort', leave, { once: true })
    return events
  } catch (error) {
    if (!isInklingError(error)) throw error
    const { code, message, hint } = error
    return only({ type: 'FAILED', id, sequence: after, error: { code, message, hint } })
  }
}

async function* only(event: CompletionEvent): AsyncGenerator<CompletionEvent> {
  yield event
}
