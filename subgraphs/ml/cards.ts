import { type cardFormats, cardOfVersion } from '../../ml/card/version-card.ts'
import type { ModelRefs } from './models.ts'
import type { MlBuilder } from './subgraph.ts'

/** Registers the model card of a version. */
export function registerCards(builder: MlBuilder, { ModelVersionRef }: ModelRefs): void {
  const Format = builder.enumType('CardFormat', {
    description: 'How a model card is written.',
    values: {
      MARKDOWN: { description: 'For a repository.' },
      HTML: { description: 'One page with plots.' },
    } satisfies Record<(typeof cardFormats)[number], object>,
  })
  builder.objectFields(ModelVersionRef, (t) => ({
    card: t.string({
      scopes: ['models:read'],
      description:
        'Its model card: data, metrics with intervals, calibration, importances, slices, gates, limits, provenance.',
      args: { format: t.arg({ type: Format, defaultValue: 'MARKDOWN', description: 'How it is written.' }) },
      resolve: (version, { format }, { engines }) =>
        cardOfVersion(engines.registry, engines.models, version, format ?? 'MARKDOWN'),
    }),
  }))
}
