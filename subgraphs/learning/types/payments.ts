import type { LearningBuilder } from '../builder.ts'
import { typeOf } from '../builder.ts'
import type { ListField } from '../lists.ts'
import { payments } from '../rows/payments.ts'
import type { Enums } from './enums.ts'

/** Registers Subscription, Payment and Cancellation: what makes a learner a paying customer. */
export function registerPayments(builder: LearningBuilder, list: ListField, enums: Enums): void {
  const Subscription = typeOf(builder, 'Subscription')
  builder.prismaObject('Subscription', {
    name: 'SubscriptionPeriod', // `Subscription` is the root of what can be subscribed to
    description: 'A period in which a learner pays for a plan.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      plan: t.expose('plan', { type: enums.Plan, description: 'What is paid for.' }),
      priceUsd: t.float({ description: 'Price per month in US dollars.', resolve: ({ priceUsd }) => Number(priceUsd) }),
      startsAt: t.expose('startsAt', { type: 'DateTime', description: 'When it begins.' }),
      endsAt: t.expose('endsAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it ends; null while no end is known.',
      }),
      isRunning: t.boolean({
        description: 'Whether it runs now.',
        resolve: ({ startsAt, endsAt }, _args, { now }) => startsAt <= now && (endsAt === null || endsAt > now),
      }),
      payments: list(t, payments, {
        below: { column: 'subscriptionId', key: ({ id }: { id: string }) => id },
        description: 'What was paid for it.',
      }),
    }),
  })
  builder.prismaObject('Payment', {
    description: 'Money received from a learner.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      amountUsd: t.float({ description: 'In US dollars.', resolve: ({ amount }) => Number(amount) }),
      paidAt: t.expose('paidAt', { type: 'DateTime', description: 'When it came in.' }),
      subscription: t.field({
        type: Subscription,
        nullable: true,
        description: 'What it was paid for; null when unknown.',
        resolve: ({ subscriptionId }, _args, { reads }) =>
          subscriptionId === null ? null : reads.find('Subscription', subscriptionId),
      }),
    }),
  })
  builder.prismaObject('Cancellation', {
    description: 'The moment at which a paying learner said that they will leave.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When they said so.' }),
      reason: t.exposeString('reason', { nullable: true, description: 'The reason given; null when there was none.' }),
    }),
  })
}
