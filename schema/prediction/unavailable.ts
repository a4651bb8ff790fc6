import type { Absence } from '../../ml/prediction.ts'
import type { AnyBuilder } from './context.ts'

const unavailableCodes = [
  { name: 'NOT_APPLICABLE', says: 'The question is not about this entity at that moment.' },
  { name: 'ABSTAINED', says: 'Too little is known, or the answer is too vague, by the policy of the model file.' },
  { name: 'NOT_STORED', says: 'No score was stored by that moment.' },
  { name: 'DEADLINE_EXCEEDED', says: 'It took longer than `within` allows.' },
  { name: 'MODEL_NOT_TRAINED', says: 'No version serves yet.' },
  { name: 'NOT_FOUND', says: 'There is no such version.' },
  { name: 'FEATURE_MISMATCH', says: 'The model file changed since the version was trained.' },
  { name: 'FEATURE_READ_FAILED', says: 'The features could not be read.' },
  { name: 'ARTEFACT_INVALID', says: 'The version that should serve is broken and was taken out of service.' },
  { name: 'INFERENCE_FAILED', says: 'Scoring failed.' },
  { name: 'INFERENCE_OVERLOADED', says: 'Too many rows wait to be scored.' },
  {
    name: 'NO_REASONS',
    says: 'The version that answered was trained elsewhere: there is a prediction without reasons.',
  },
  { name: 'UNAVAILABLE', says: 'Something else went wrong.' },
] as const

/** Registers `UnavailablePrediction`: why a prediction is null. */
export function registerUnavailable(builder: AnyBuilder): AnyBuilder {
  const Code = builder.enumType('UnavailableCode', {
    description: 'The kind of reason.',
    values: Object.fromEntries(unavailableCodes.map(({ name, says }) => [name, { description: says }])),
  })
  return builder.objectRef('UnavailablePrediction').implement({
    description: 'Why there is no prediction, or why it has no reasons. There never is a made-up number instead.',
    fields: (t: AnyBuilder) => ({
      code: t.field({
        type: Code,
        description: 'A stable code for programs.',
        resolve: ({ code }: Absence) => (unavailableCodes.some(({ name }) => name === code) ? code : 'UNAVAILABLE'),
      }),
      message: t.exposeString('message', { description: 'What is the case.' }),
      hint: t.exposeString('hint', { description: 'What to do next.' }),
    }),
  })
}
