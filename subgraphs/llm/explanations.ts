import { type ExplanationEvent, explain } from '../../llm/explanation/explanation.ts'
import type { Fact } from '../../llm/explanation/facts.ts'
import type { CompletionRefs } from './completions.ts'
import type { LlmBuilder } from './subgraph.ts'

type EventOf<Type extends ExplanationEvent['type']> = Extract<ExplanationEvent, { type: Type }>

const typeNames: Record<ExplanationEvent['type'], string> = {
  STARTED: 'ExplanationStarted',
  SENTENCE: 'ExplanationSentence',
  FINISHED: 'ExplanationFinished',
  FAILED: 'ExplanationFailed',
}

/** Registers the explanation of predictions in words. */
export function registerExplanations(builder: LlmBuilder, { EndRef, UsageRef }: CompletionRefs): void {
  const PlaceRef = builder.interfaceRef<ExplanationEvent>('ExplanationProgress').implement({
    description: 'What every event of an explanation has.',
    resolveType: ({ type }) => typeNames[type],
    fields: (t) => ({
      sequence: t.exposeInt('sequence', {
        description: 'Counts from 1 without gaps. Pass the last one as `after` to resume.',
      }),
    }),
  })
  const interfaces = [PlaceRef]
  const DirectionRef = builder.enumType('ExplainedDirection', {
    description: 'Whether a feature pushes the probability up or down.',
    values: { RAISES: { description: 'Up.' }, LOWERS: { description: 'Down.' } } as const,
  })
  const FactRef = builder.objectRef<Fact>('ExplainedReason').implement({
    description: 'A reason of the prediction, as the model gave it.',
    fields: (t) => ({
      feature: t.exposeString('feature', { description: 'Name of the feature in the model file.' }),
      direction: t.expose('direction', {
        type: DirectionRef,
        description: 'Whether it raises or lowers the probability.',
      }),
      sentence: t.exposeString('sentence', { description: 'The reason in the words of the model file.' }),
    }),
  })
  const Started = builder.objectRef<EventOf<'STARTED'>>('ExplanationStarted').implement({
    interfaces,
    description: 'What is explained: it was settled before anybody wrote about it, and no text changes it.',
    fields: (t) => ({
      model: t.exposeString('model', { description: 'The model that predicted.' }),
      probability: t.exposeFloat('probability', { description: 'What it predicted, 0..1.' }),
      riskLevel: t.exposeString('riskLevel', { description: 'LOW, MEDIUM or HIGH.' }),
      reasons: t.field({
        type: [FactRef],
        description: 'All that the text may speak of.',
        resolve: ({ reasons }) => [...reasons],
      }),
      target: t.exposeString('target', { description: 'Who writes.' }),
      label: t.exposeString('label', {
        nullable: true,
        description: 'BUILTIN_NOT_AN_LLM where no language model writes.',
      }),
    }),
  })
  const Sentence = builder.objectRef<EventOf<'SENTENCE'>>('ExplanationSentence').implement({
    interfaces,
    description: 'One sentence that passed the check: it cites reasons that were given and no other feature.',
    fields: (t) => ({
      text: t.exposeString('text', { description: 'Plain text, without markup.' }),
      features: t.stringList({ description: 'The features that it cites.', resolve: ({ features }) => [...features] }),
    }),
  })
  const Finished = builder.objectRef<EventOf<'FINISHED'>>('ExplanationFinished').implement({
    interfaces,
    description: 'It is over. The last event.',
    fields: (t) => ({
      finishReason: t.expose('finishReason', { type: EndRef, description: 'Why.' }),
      usage: t.expose('usage', { type: UsageRef, description: 'Tokens as the provider reported them.' }),
      costUsd: t.exposeFloat('costUsd', { description: 'What it cost.' }),
      droppedSentences: t.exposeInt('dropped', {
        description: 'Sentences that were not shown, because they cited nothing that was given, or something else.',
      }),
    }),
  })
  const Failed = builder.objectRef<EventOf<'FAILED'>>('ExplanationFailed').implement({
    interfaces,
    description: 'There is no explanation. The last event.',
    fields: (t) => ({
      code: t.string({ description: 'A stable code for programs.', resolve: ({ error }) => error.code }),
      message: t.string({ description: 'What happened.', resolve: ({ error }) => error.message }),
      hint: t.string({ description: 'What to do next.', resolve: ({ error }) => error.hint }),
    }),
  })
  const EventRef = builder.unionType('ExplanationEvent', {
    description: 'Something that happened to an explanation. ExplanationFinished and ExplanationFailed end the stream.',
    types: [Started, Sentence, Finished, Failed],
    resolveType: ({ type }) => typeNames[type],
  })
  builder.subscriptionFields((t) => ({
    predictionExplained: t.field({
      type: EventRef,
      scopes: ['llm:use', 'predictions:explain'],
      description:
        "Explains a prediction in the reader's language, sentence by sentence. It may cite only the reasons of the prediction.",
      args: {
        entity: t.arg.string({ required: true, description: 'The type that is predicted about, such as Learner.' }),
        key: t.arg.string({
          required: true,
          description: 'Its key: the id, or several fields as JSON: {"learnerId":"1","objectiveId":"2"}.',
        }),
        language: t.arg.string({
          required: true,
          description: 'The reader\'s language as a BCP 47 tag, such as "en" or "pt-BR".',
        }),
        model: t.arg.string({ description: 'Which model, where several ask about the type.' }),
        after: t.arg.int({ description: 'Only what comes after this sequence. Default: 0.' }),
      },
      subscribe: (_root, { entity, key, language, model, after }, { llm, reasonsOf, ...request }) =>
        later(
          explain(
            { completions: llm.completions, reasonsOf },
            { entity, key, language, model: model ?? undefined },
            request,
          ),
          after ?? 0,
        ),
      resolve: (event) => event,
    }),
  }))
}

/** The same question gets the same answer for a while: what the reader has seen is left out. */
function later(
  events: AsyncIterableIterator<ExplanationEvent>,
  after: number,
): AsyncIterableIterator<ExplanationEvent> {
  const iterator: AsyncIterableIterator<ExplanationEvent> = {
    async next() {
      for (;;) {
        const result = await events.next()
        if (result.done || result.value.sequence > after || result.value.type === 'FAILED') return result
      }
    },
    return: () => events.return!(),
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
