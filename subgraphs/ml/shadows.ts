import { resolveArrayConnection } from '@pothos/plugin-relay'
import { listComparisons, type ShadowSums } from '../../ml/rollout/shadow-store.ts'
import { checkPage, pageLimit } from '../../schema/pagination.ts'
import type { ModelRefs } from './models.ts'
import type { MlBuilder } from './subgraph.ts'

/** Registers what shadows would have answered. */
export function registerShadows(builder: MlBuilder, { ModelVersionRef }: ModelRefs): void {
  const per = (sums: ShadowSums, value: number) => (sums.rows > 0 ? value / sums.rows : null)
  const ShadowRef = builder.objectRef<ShadowSums>('ShadowComparison').implement({
    description: 'What a shadow would have answered beside what was served, in one hour.',
    fields: (t) => ({
      hour: t.expose('hour', { type: 'DateTime', description: 'Its beginning.' }),
      served: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The version that answered.',
        resolve: ({ servedId }, _args, context) => context.versionById(servedId),
      }),
      shadow: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The version that only scored.',
        resolve: ({ shadowId }, _args, context) => context.versionById(shadowId),
      }),
      rows: t.exposeInt('rows', { description: 'Rows that both scored.' }),
      agreement: t.float({
        nullable: true,
        description: 'Share of them with the same risk level, 0..1; null without rows.',
        resolve: (sums) => per(sums, sums.agreed),
      }),
      disagreement: t.float({
        nullable: true,
        description: 'Share of them with probabilities at least 0.1 apart, 0..1.',
        resolve: (sums) => per(sums, sums.disagreed),
      }),
      meanDifference: t.float({
        nullable: true,
        description: 'Mean of shadow - served.',
        resolve: (sums) => per(sums, sums.difference),
      }),
      meanDistance: t.float({
        nullable: true,
        description: 'Mean size of it.',
        resolve: (sums) => per(sums, sums.distance),
      }),
      largest: t.exposeFloat('largest', { description: 'Its largest size.' }),
      failed: t.exposeInt('failed', { description: 'Rows that the shadow could not score.' }),
      dropped: t.exposeInt('dropped', { description: 'Rows that were not compared: too many waited.' }),
    }),
  })
  builder.queryField('shadowComparisons', (t) =>
    t.connection({
      type: ShadowRef,
      scopes: ['models:read'],
      description: 'What the shadows of a model would have answered, the newest hour first. Stored every ten seconds.',
      args: { model: t.arg.string({ required: true, description: "The model's name." }) },
      resolve: async (_root, args, { engines, viewer }) => {
        checkPage(args, viewer)
        const found = await listComparisons(engines.database, args.model, pageLimit(viewer))
        return resolveArrayConnection({ args }, found) as never
      },
    }),
  )
}
