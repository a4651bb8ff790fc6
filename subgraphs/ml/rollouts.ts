import { MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
import { decideOn, findVersionOf, pointAlias, promote, removeAlias, rollBack } from '../../ml/rollout/promotion.ts'
import { findModel } from '../../ml/training-job.ts'
import { InklingError } from '../../platform/errors.ts'
import type { AliasMove } from '../../registry/version.ts'
import { withErrors } from '../../schema/errors.ts'
import type { MlContext } from './context.ts'
import type { ModelRefs } from './models.ts'
import type { MlBuilder } from './subgraph.ts'
import type { ResultOf } from './training.ts'

export const rolloutFailures = ['NotFoundError', 'InvalidInputError', 'ConflictError'] as const

interface Moved {
  readonly move: AliasMove
}
interface MoverInput {
  readonly reason?: string | null | undefined
  readonly expected?: string | number | null | undefined
}

/** Registers the mutations that decide which version serves. */
export function registerRollouts(
  builder: MlBuilder,
  { ModelVersionRef, AliasMoveRef }: Pick<ModelRefs, 'ModelVersionRef'> & { AliasMoveRef: MoveRef },
  resultOf: ResultOf,
): void {
  const payload = (name: string, description: string) =>
    resultOf(
      builder.objectRef<Moved>(`${name}Payload`).implement({
        description,
        fields: (t) => ({ move: t.expose('move', { type: AliasMoveRef, description: 'As the audit log holds it.' }) }),
      }),
      `${name}Result`,
      rolloutFailures,
    )
  const approval = (name: string, description: string) =>
    resultOf(
      builder.objectRef<{ version: ModelVersion }>(`${name}Payload`).implement({
        description,
        fields: (t) => ({ version: t.expose('version', { type: ModelVersionRef, description: 'As it is now.' }) }),
      }),
      `${name}Result`,
      rolloutFailures,
    )
  const says = {
    model: "The model's name.",
    version: "The version's id, its number, or an alias that points at it.",
    reason: 'Why; kept in the audit log.',
    expected: 'The id of the version that you believe to hold the alias: when another one does, nothing moves.',
  } as const
  const PromoteInput = builder.inputType('PromoteVersionInput', {
    description: 'Which version is to serve.',
    fields: (t) => ({
      model: t.string({ required: true, description: says.model }),
      version: t.string({ required: true, description: says.version }),
      reason: t.string({ description: says.reason }),
      expected: t.id({ description: says.expected }),
    }),
  })
  const RollbackInput = builder.inputType('RollbackModelInput', {
    description: 'Which model goes back to the version that served before.',
    fields: (t) => ({
      model: t.string({ required: true, description: says.model }),
      reason: t.string({ description: says.reason }),
      expected: t.id({ description: says.expected }),
    }),
  })
  const MoveInput = builder.inputType('MoveAliasInput', {
    description: 'Which alias is to point at which version.',
    fields: (t) => ({
      model: t.string({ required: true, description: says.model }),
      alias: t.string({ required: true, description: 'champion, challenger, shadow or a free name.' }),
      version: t.string({ required: true, description: says.version }),
      reason: t.string({ description: says.reason }),
      expected: t.id({ description: says.expected }),
    }),
  })
  const RemoveInput = builder.inputType('RemoveAliasInput', {
    description: 'Which alias is to point nowhere.',
    fields: (t) => ({
      model: t.string({ required: true, description: says.model }),
      alias: t.string({ required: true, description: 'Never champion.' }),
      reason: t.string({ description: says.reason }),
      expected: t.id({ description: says.expected }),
    }),
  })
  const DecideInput = builder.inputType('DecideVersionInput', {
    description: 'Which version that waits for approval is decided.',
    fields: (t) => ({
      id: t.id({ required: true, description: "The version's id." }),
      reason: t.string({ description: says.reason }),
      expected: t.id({ description: says.expected }),
    }),
  })

  builder.mutationFields((t) => ({
    promoteVersion: t.field({
      scopes: ['models:promote'],
      type: payload('PromoteVersion', 'The move that lets a version serve.'),
      description: 'Lets a version serve. Every process follows within a second; a running experiment ends.',
      args: { input: t.arg({ type: PromoteInput, required: true, description: 'Which version.' }) },
      resolve: (_root, { input }, context) =>
        moved(async () => promote(context.engines.registry, await versionOf(context, input), moverOf(context, input))),
    }),
    rollbackModel: t.field({
      scopes: ['models:promote'],
      type: payload('RollbackModel', 'The move back.'),
      description: 'Lets the version serve that served before, and ends a running experiment.',
      args: { input: t.arg({ type: RollbackInput, required: true, description: 'Which model.' }) },
      resolve: (_root, { input }, context) =>
        moved(() => {
          const { registry, models } = context.engines
          return rollBack(registry, findModel(models, input.model), moverOf(context, input))
        }),
    }),
    moveAlias: t.field({
      scopes: ['models:promote'],
      type: payload('MoveAlias', 'The move.'),
      description: 'Points an alias at a version.',
      args: { input: t.arg({ type: MoveInput, required: true, description: 'Which alias.' }) },
      resolve: (_root, { input }, context) =>
        moved(async () =>
          pointAlias(context.engines.registry, await versionOf(context, input), input.alias, moverOf(context, input)),
        ),
    }),
    removeAlias: t.field({
      scopes: ['models:promote'],
      type: payload('RemoveAlias', 'The removal.'),
      description: 'Removes an alias. A champion is only ever moved.',
      args: { input: t.arg({ type: RemoveInput, required: true, description: 'Which alias.' }) },
      resolve: (_root, { input }, context) =>
        moved(() => {
          const { registry, models } = context.engines
          return removeAlias(registry, findModel(models, input.model), input.alias, moverOf(context, input))
        }),
    }),
    approveVersion: t.field({
      scopes: ['models:promote'],
      type: approval('ApproveVersion', 'The version, which serves now.'),
      description: 'Lets a version serve that waits for approval.',
      args: { input: t.arg({ type: DecideInput, required: true, description: 'Which version.' }) },
      resolve: (_root, { input }, context) => decided(context, input, true),
    }),
    rejectVersion: t.field({
      scopes: ['models:promote'],
      type: approval('RejectVersion', 'The version, which never serves.'),
      description: 'Rejects a version that waits for approval.',
      args: { input: t.arg({ type: DecideInput, required: true, description: 'Which version.' }) },
      resolve: (_root, { input }, context) => decided(context, input, false),
    }),
  }))
}

type MoveRef = ReturnType<typeof import('./versions.ts').registerVersions>['AliasMoveRef']

/** A long reason is cut: the log is read by people. */
const MOST_REASON = 500

export function moverOf({ viewer }: MlContext, { reason, expected }: MoverInput) {
  return {
    movedBy: viewer.id,
    reason: reason?.slice(0, MOST_REASON).toWellFormed(),
    expected: expected === null || expected === undefined ? undefined : String(expected),
  }
}

export async function versionOf(
  { engines }: MlContext,
  { model, version }: { readonly model: string; readonly version: string },
): Promise<ModelVersion> {
  return findVersionOf(engines.registry, findModel(engines.models, model), version)
}

function moved(work: () => Promise<AliasMove>): never {
  return withErrors(rolloutFailures, async () => ({ move: await work() })) as never
}

function decided(context: MlContext, input: MoverInput & { id: string | number }, isApproved: boolean): never {
  const { database, registry } = context.engines
  const { movedBy, reason, expected } = moverOf(context, input)
  return withErrors(rolloutFailures, async () => {
    const [waiting] = await registry.versions<ModelContents>(MODEL_KIND, [String(input.id)])
    if (!waiting)
      throw new InklingError('NOT_FOUND', `There is no version ${input.id}.`, 'List those in the state PENDING.')
    return { version: await decideOn(database, registry, waiting.id, isApproved, { movedBy, reason, expected }) }
  }) as never
}
