import { alertRules } from '../../ml/alerts/findings.ts'
import {
  type Alert,
  type AlertEvent,
  type AlertState,
  acknowledgeAlert,
  alertEventTypes,
  listAlerts,
} from '../../ml/alerts/store.ts'
import { InklingError, isInklingError } from '../../platform/errors.ts'
import { withErrors } from '../../schema/errors.ts'
import { checkPage, DEFAULT_PAGE, type PageArguments } from '../../schema/pagination.ts'
import { refused } from '../../schema/prediction/refused.ts'
import type { MlContext } from './context.ts'
import type { ModelRefs } from './models.ts'

// biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
type AnyBuilder = any

/** Why nothing can be followed: an event like the others, since an iterator that throws loses its message on the way. */
interface Refused {
  readonly type: 'REFUSED'
  readonly sequence: string
  readonly error: InklingError
}
type AnyEvent = AlertEvent | Refused
type ListArguments = PageArguments & { readonly model?: string | null; readonly states?: readonly AlertState[] | null }

/** Registers alerts, their events and their acknowledgement. */
export function registerAlerts(
  builder: AnyBuilder,
  { ModelVersionRef }: ModelRefs,
  resultOf: (payload: never, unionName: string) => AnyBuilder,
): void {
  const AlertRef = registerAlert(builder, ModelVersionRef)
  builder.queryField('alerts', (t: AnyBuilder) =>
    t.connection({
      type: AlertRef,
      scopes: ['models:read'],
      description: 'What somebody should look at, newest first. Forward only.',
      args: {
        model: t.arg.string({ description: 'Only of this model.' }),
        states: t.arg({ type: ['AlertState'], description: 'Only in these states.' }),
      },
      resolve: (_root: unknown, args: ListArguments, context: MlContext) => pageOf(args, context),
    }),
  )
  registerEvents(builder)
  const Input = builder.inputType('AcknowledgeAlertInput', {
    description: 'What is looked at.',
    fields: (t: AnyBuilder) => ({ id: t.id({ required: true, description: 'The alert.' }) }),
  })
  const Payload = builder.objectRef('AcknowledgeAlertPayload').implement({
    description: 'The alert as it stands.',
    fields: (t: AnyBuilder) => ({ alert: t.expose('alert', { type: AlertRef, description: 'The alert.' }) }),
  })
  builder.mutationField('acknowledgeAlert', (t: AnyBuilder) =>
    t.field({
      scopes: ['models:promote'],
      type: resultOf(Payload as never, 'AcknowledgeAlertResult'),
      description: 'Says that somebody looks at it. It resolves by itself once it is over.',
      args: { input: t.arg({ type: Input, required: true, description: 'What.' }) },
      resolve: (_root: unknown, { input }: { input: { id: string } }, { engines, viewer }: MlContext) =>
        withErrors(['NotFoundError', 'ConflictError'], async () => ({
          alert: await acknowledgeAlert(engines.database, input.id, viewer, engines.onAlertEvent?.(viewer)),
        })),
    }),
  )
}

function registerAlert(builder: AnyBuilder, ModelVersionRef: AnyBuilder): AnyBuilder {
  const says = {
    PERFORMANCE: 'Outcomes say that it does worse than its hold-out or the file promise.',
    DRIFT: 'Inputs or predictions are not as they were in training.',
    ABSTENTION: 'It keeps too many answers to itself.',
    ERRORS: 'Too many predictions fail.',
    FEEDBACK: 'Somebody records more outcomes than may count.',
  }
  const Rule = builder.enumType('AlertRule', {
    description: 'What can be wrong. A model has at most one alert of each that is not resolved.',
    values: Object.fromEntries(alertRules.map((rule) => [rule, { description: says[rule] }])),
  })
  const State = builder.enumType('AlertState', {
    description: 'How an alert stands.',
    values: {
      OPEN: { description: 'Nobody has said to look at it.' },
      ACKNOWLEDGED: { description: 'Somebody looks at it.' },
      RESOLVED: { description: 'It is over.' },
    },
  })
  const Breach = builder.objectRef('AlertBreach').implement({
    description: 'One thing that is out of bounds.',
    fields: (t: AnyBuilder) => ({
      name: t.exposeString('name', { description: 'A metric or a feature.' }),
      value: t.exposeFloat('value', { description: 'Its value.' }),
      bound: t.exposeFloat('bound', { description: 'The bound that it crossed.' }),
    }),
  })
  const moment = (t: AnyBuilder, name: string, description: string) =>
    t.expose(name, { type: 'DateTime', nullable: true, description })
  return builder.objectRef('Alert').implement({
    description: 'Something about a model that somebody should look at.',
    fields: (t: AnyBuilder) => ({
      id: t.exposeID('id', { description: 'Its id.' }),
      model: t.exposeString('model', { description: "The model's name." }),
      rule: t.expose('rule', { type: Rule, description: 'What is wrong.' }),
      state: t.expose('state', { type: State, description: 'How it stands.' }),
      message: t.exposeString('message', { description: 'What was found last.' }),
      breaches: t.field({
        type: [Breach],
        description: 'What is out of bounds, worst first; a storm is one alert.',
        resolve: ({ details }: Alert) => details.breaches,
      }),
      rows: t.int({ description: 'Rows that it rests on.', resolve: ({ details }: Alert) => Math.round(details.rows) }),
      owner: t.exposeString('owner', { nullable: true, description: 'Whom it is for, as the model file says.' }),
      version: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The version that it is about.',
        resolve: ({ versionId }: Alert, _args: object, context: MlContext) =>
          versionId ? context.versionById(versionId) : null,
      }),
      openedAt: t.expose('openedAt', { type: 'DateTime', description: 'When it opened.' }),
      seenAt: t.expose('seenAt', { type: 'DateTime', description: 'When it was last found so.' }),
      acknowledgedAt: moment(t, 'acknowledgedAt', 'When somebody said to look at it.'),
      acknowledgedBy: t.exposeString('acknowledgedBy', { nullable: true, description: 'Who.' }),
      resolvedAt: moment(t, 'resolvedAt', 'When it was over.'),
    }),
  })
}

function registerEvents(builder: AnyBuilder): void {
  const Item = builder.interfaceRef('AlertsEvent').implement({
    description: 'Something that happened to alerts. AlertsRefused ends the stream.',
    resolveType: ({ type }: AnyEvent) => (type === 'REFUSED' ? 'AlertsRefused' : 'AlertMoved'),
    fields: (t: AnyBuilder) => ({
      cursor: t.string({
        description: 'Pass the last one as `after` to resume.',
        resolve: ({ sequence }: AnyEvent) => String(sequence),
      }),
    }),
  })
  const Type = builder.enumType('AlertMove', {
    description: 'What happened to an alert.',
    values: alertEventTypes.map((type) => type),
  })
  builder.objectRef('AlertMoved').implement({
    interfaces: [Item],
    description: 'An alert opened, was acknowledged or resolved.',
    fields: (t: AnyBuilder) => ({
      move: t.field({ type: Type, description: 'What happened.', resolve: ({ type }: AlertEvent) => type }),
      at: t.expose('at', { type: 'DateTime', description: 'When.' }),
      alertId: t.exposeID('alertId', { description: 'The alert.' }),
      model: t.string({ description: "The model's name.", resolve: ({ data }: AlertEvent) => data.model }),
      rule: t.field({ type: 'AlertRule', description: 'What is wrong.', resolve: ({ data }: AlertEvent) => data.rule }),
      message: t.string({ description: 'What was found.', resolve: ({ data }: AlertEvent) => data.message }),
      breaches: t.field({
        type: ['AlertBreach'],
        description: 'What is out of bounds, worst first.',
        resolve: ({ data }: AlertEvent) => data.details.breaches,
      }),
      owner: t.string({
        nullable: true,
        description: 'Whom it is for.',
        resolve: ({ data }: AlertEvent) => data.owner,
      }),
    }),
  })
  builder.objectRef('AlertsRefused').implement({
    interfaces: [Item],
    description: 'There is nothing to follow.',
    fields: (t: AnyBuilder) => ({
      code: t.string({ description: 'A stable code for programs.', resolve: ({ error }: Refused) => error.code }),
      message: t.string({ description: 'What is wrong.', resolve: ({ error }: Refused) => error.message }),
      hint: t.string({ description: 'What to do next.', resolve: ({ error }: Refused) => error.hint }),
    }),
  })
  builder.subscriptionField('alertEvents', (t: AnyBuilder) =>
    t.field({
      type: Item,
      scopes: ['models:read'],
      description: 'What happens to alerts, without gap or repeat.',
      args: {
        after: t.arg.string({ description: 'Events after this cursor, stored ones first. Default: from now on.' }),
      },
      subscribe: (_root: unknown, { after }: { after?: string | null }, context: MlContext) =>
        follow(context, after ?? undefined),
      resolve: (event: AnyEvent) => event,
    }),
  )
}

function follow({ engines, viewer, signal }: MlContext, after: string | undefined): AsyncIterableIterator<AnyEvent> {
  const events = engines.alertHub?.follow(viewer.tenant, after, signal)
  let isRefused = false
  return {
    async next() {
      if (isRefused) return { done: true, value: undefined }
      try {
        if (!events) throw new InklingError('UNAVAILABLE', 'This process follows no alerts.', 'Ask another.')
        return await events.next()
      } catch (error) {
        if (!isInklingError(error)) throw error
        isRefused = true
        return { done: false, value: { type: 'REFUSED', sequence: after ?? '', error } }
      }
    },
    async return() {
      await events?.return()
      return { done: true, value: undefined }
    },
    async throw(error) {
      await events?.return()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function pageOf(args: ListArguments, { engines, viewer }: MlContext) {
  checkPage(args, viewer)
  if (args.last != null || args.before != null) throw refused('This list is read forward: use first and after.')
  const first = args.first ?? DEFAULT_PAGE
  const found = await listAlerts(engines.database, {
    tenant: viewer.tenant,
    model: args.model ?? undefined,
    states: args.states ?? undefined,
    first: first + 1,
    after: args.after == null ? undefined : placeOf(args.after),
  })
  const edges = found.slice(0, first).map((node) => ({ node, cursor: `${node.openedAt.toISOString()}_${node.id}` }))
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

function placeOf(cursor: string): { openedAt: string; id: string } {
  const [openedAt = '', id = ''] = cursor.split('_')
  const isPlace =
    !Number.isNaN(Date.parse(openedAt)) && /^[\d:TZ.-]{20,30}$/.test(openedAt) && /^[0-9a-f-]{36}$/.test(id)
  if (!isPlace) throw refused('The cursor is refused.')
  return { openedAt, id }
}
