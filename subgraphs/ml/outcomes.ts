import type { KeyValues, Model } from '../../ml/define.ts'
import { recordOutcome } from '../../ml/outcomes/recording.ts'
import { createOutcomeStore, type RecordedOutcome } from '../../ml/outcomes/store.ts'
import { findModel } from '../../ml/training-job.ts'
import { withErrors } from '../../schema/errors.ts'
import { checkPage, DEFAULT_PAGE, type PageArguments } from '../../schema/pagination.ts'
import { refused } from '../../schema/prediction/refused.ts'
import type { MlContext } from './context.ts'

// biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
type AnyBuilder = any

interface KeyField {
  readonly field: string
  readonly value: string
}

interface Input {
  readonly model: string
  readonly key: readonly KeyField[]
  readonly label: boolean
  readonly at?: Date | null
}

const MOST_KEY_FIELDS = 8

/** Registers outcomes: what became of entities, as recorded by viewers or derived from the rows. */
export function registerOutcomes(
  builder: AnyBuilder,
  resultOf: (payload: never, unionName: string) => AnyBuilder,
): { KeyInput: AnyBuilder } {
  const KeyRef = builder.objectRef('KeyField').implement({
    description: 'One field of the key of an entity.',
    fields: (t: AnyBuilder) => ({
      field: t.exposeString('field', { description: 'Its name.' }),
      value: t.exposeString('value', { description: 'Its value as a text.' }),
    }),
  })
  const KeyInput = builder.inputType('KeyFieldInput', {
    description: 'One field of the key of an entity.',
    fields: (t: AnyBuilder) => ({
      field: t.string({ required: true, description: 'Its name.' }),
      value: t.string({ required: true, description: 'Its value as a text.' }),
    }),
  })
  const OutcomeRef = registerOutcome(builder, KeyRef)
  registerRecording(builder, OutcomeRef, KeyInput, resultOf)

  builder.queryField('outcomes', (t: AnyBuilder) =>
    t.connection({
      type: OutcomeRef,
      scopes: ['predictions:read'],
      description: 'What became known about the entities of a model, newest first. Forward only.',
      args: { model: t.arg.string({ required: true, description: "The model's name." }) },
      resolve: (_root: unknown, args: PageArguments & { model: string }, context: MlContext) => pageOf(args, context),
    }),
  )
  return { KeyInput }
}

function registerOutcome(builder: AnyBuilder, KeyRef: AnyBuilder): AnyBuilder {
  const Source = builder.enumType('OutcomeSource', {
    description: 'Where an outcome comes from.',
    values: {
      RECORDED: { description: 'A viewer said so.' },
      DERIVED: { description: "The rows say so: the model file's own labels." },
    },
  })
  const Revision = builder.objectRef('OutcomeRevision').implement({
    description: 'A label that an outcome has or had.',
    fields: (t: AnyBuilder) => ({
      revision: t.exposeInt('revision', { description: '1, 2, 3 ...' }),
      label: t.boolean({ description: 'The label.', resolve: ({ label }: RecordedOutcome) => label === 1 }),
      recordedBy: t.string({ description: 'Who said so.', resolve: ({ viewerId }: RecordedOutcome) => viewerId }),
      recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When.' }),
    }),
  })
  return builder.objectRef('Outcome').implement({
    description: 'What became of an entity: the answer to the question of a model.',
    fields: (t: AnyBuilder) => ({
      model: t.exposeString('model', { description: "The model's name." }),
      key: t.field({
        type: [KeyRef],
        description: 'The entity.',
        resolve: ({ key }: RecordedOutcome) =>
          Object.entries(key).map(([field, value]) => ({ field, value: String(value) })),
      }),
      at: t.expose('at', { type: 'DateTime', description: 'The moment that it is about.' }),
      label: t.boolean({ description: 'Yes or no.', resolve: ({ label }: RecordedOutcome) => label === 1 }),
      source: t.expose('source', { type: Source, description: 'Where it comes from.' }),
      recordedBy: t.string({ description: 'Who said so last.', resolve: ({ viewerId }: RecordedOutcome) => viewerId }),
      recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When it was said last.' }),
      isCounted: t.boolean({
        description: "Whether it counts; not beyond a viewer's share.",
        resolve: ({ weight }: RecordedOutcome) => weight > 0,
      }),
      revisions: t.field({
        type: [Revision],
        description: 'Every label it has had, oldest first.',
        resolve: (outcome: RecordedOutcome, _args: object, { engines }: MlContext) =>
          createOutcomeStore(engines.database).revisions(outcome),
      }),
    }),
  })
}

function registerRecording(
  builder: AnyBuilder,
  OutcomeRef: AnyBuilder,
  KeyInput: AnyBuilder,
  resultOf: (payload: never, unionName: string) => AnyBuilder,
): void {
  const Input = builder.inputType('RecordOutcomeInput', {
    description: 'What became known.',
    fields: (t: AnyBuilder) => ({
      model: t.string({ required: true, description: "The model's name." }),
      key: t.field({ type: [KeyInput], required: true, description: "Every field of the entity's key." }),
      label: t.boolean({ required: true, description: "The answer to the model's question." }),
      at: t.field({
        type: 'DateTime',
        description: 'The moment that it is about: it answers predictions shortly before. Default: now.',
      }),
    }),
  })
  const Payload = builder.objectRef('RecordOutcomePayload').implement({
    description: 'The outcome as it stands.',
    fields: (t: AnyBuilder) => ({
      outcome: t.expose('outcome', { type: OutcomeRef, description: 'The outcome.' }),
      isRepeated: t.exposeBoolean('isRepeated', { description: 'Whether the same was recorded before.' }),
      predictions: t.exposeInt('predictions', { description: 'Served predictions that it answers.' }),
    }),
  })
  const failures = ['NotFoundError', 'InvalidInputError', 'ConflictError', 'RateLimitedError'] as const
  builder.mutationField('recordOutcome', (t: AnyBuilder) =>
    t.field({
      scopes: ['predictions:write'],
      type: resultOf(Payload as never, 'RecordOutcomeResult'),
      description:
        'Records what became of an entity. The same again changes nothing; another label is a correction, which is kept.',
      args: { input: t.arg({ type: Input, required: true, description: 'What became known.' }) },
      resolve: (_root: unknown, { input }: { input: Input }, context: MlContext) =>
        withErrors(failures, async () => {
          const { engines, viewer, now } = context
          const model = findModel(engines.models, input.model)
          await engines.predictionLog?.flush() // what was just served is there to be answered
          const request = { model, key: keyOf(input.key), at: input.at ?? now, label: input.label, viewer, now }
          return recordOutcome(engines.database, request, engines.outcomeCaps)
        }),
    }),
  )
}

/** The fields given as a key; no prototype, so that no name is special. */
export function keyOf(fields: readonly KeyField[]): KeyValues {
  const key: Record<string, string> = Object.create(null)
  for (const { field, value } of fields.slice(0, MOST_KEY_FIELDS)) key[field] = value
  return key
}

async function pageOf(args: PageArguments & { model: string }, context: MlContext) {
  checkPage(args, context.viewer)
  if (args.last != null || args.before != null) throw refused('This list is read forward: use first and after.')
  if (args.after != null && !/^\d{1,18}$/.test(args.after)) throw refused('The cursor is refused.')
  const { engines, viewer } = context
  const model: Model | undefined = engines.models.find(({ name }) => name === args.model)
  const first = args.first ?? DEFAULT_PAGE
  const found = model
    ? await createOutcomeStore(engines.database).list({
        model,
        tenant: viewer.tenant,
        first: first + 1,
        before: args.after ?? undefined,
      })
    : []
  const edges = found.slice(0, first).map((node) => ({ cursor: String(node.sequence), node }))
  return {
    edges,
    pageInfo: {
      hasNextPage: found.length > first,
      hasPreviousPage: args.after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  }
}
