import { type Forgotten, forgetPerson } from '../../ml/people/forgetting.ts'
import { withErrors } from '../../schema/errors.ts'
import type { MlContext } from './context.ts'
import type { ModelRefs } from './models.ts'
import { keyOf } from './outcomes.ts'

// biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
type AnyBuilder = any

interface Input {
  readonly entity: string
  readonly key: readonly { readonly field: string; readonly value: string }[]
}

/** Registers the mutation that removes a person, and what versions say of people who were removed. */
export function registerPeople(
  builder: AnyBuilder,
  { ModelVersionRef }: ModelRefs,
  KeyInput: AnyBuilder,
  resultOf: (payload: never, unionName: string) => AnyBuilder,
): void {
  builder.objectFields(ModelVersionRef, (t: AnyBuilder) => ({
    forgottenPeople: t.int({
      scopes: ['models:read'],
      description: 'People whose rows it learned from and who were removed since; a new training no longer knows them.',
      resolve: async ({ id }: { id: string }, _args: object, context: MlContext) =>
        (await context.forgottenOf(id))?.people ?? 0,
    }),
  }))
  const Input = builder.inputType('ForgetPersonInput', {
    description: 'Whom to remove.',
    fields: (t: AnyBuilder) => ({
      entity: t.string({ required: true, description: 'The entity that is a person, such as Learner.' }),
      key: t.field({ type: [KeyInput], required: true, description: "Every field of the person's key." }),
    }),
  })
  const Payload = builder.objectRef('ForgetPersonPayload').implement({
    description: 'What was removed.',
    fields: (t: AnyBuilder) => ({
      scores: t.exposeInt('scores', { description: 'Stored scores, past ones included.' }),
      predictions: t.exposeInt('predictions', { description: 'Remembered predictions with their features.' }),
      outcomes: t.exposeInt('outcomes', { description: 'Outcomes.' }),
      versions: t.field({
        type: [ModelVersionRef],
        description: 'Versions that learned from this person. They are flagged and go on serving.',
        resolve: async ({ versionIds }: Forgotten, _args: object, context: MlContext) =>
          (await Promise.all(versionIds.map((id) => context.versionById(id)))).filter((version) => version !== null),
      }),
    }),
  })
  const failures = ['NotFoundError', 'InvalidInputError'] as const
  builder.mutationField('forgetPerson', (t: AnyBuilder) =>
    t.field({
      scopes: ['people:delete'],
      type: resultOf(Payload as never, 'ForgetPersonResult'),
      description:
        'Removes a person for good: rows, stored scores, remembered predictions and outcomes, all or nothing.',
      args: { input: t.arg({ type: Input, required: true, description: 'Whom.' }) },
      resolve: (_root: unknown, { input }: { input: Input }, { engines, viewer }: MlContext) =>
        withErrors(failures, () =>
          forgetPerson(
            { ...engines, people: engines.people ?? [], flush: async () => engines.predictionLog?.flush() },
            { entity: input.entity, key: keyOf(input.key), tenant: viewer.tenant },
          ),
        ),
    }),
  )
}
