import { byEnum, byFlag, byMoment, byNumber } from './conditions.ts'
import { bothWays, column, type Relation, table } from './relation.ts'

const id = column('id', 'text')

export const subscriptions: Relation = {
  model: 'Subscription',
  name: 'SubscriptionPeriod',
  from: table('Subscription'),
  key: [id],
  orders: {
    ...bothWays('STARTS_AT', column('startsAt', 'timestamptz'), 'start'),
    ...bothWays('ENDS_AT', column('endsAt', 'timestamptz', 'nullable'), 'end'),
  },
  defaultOrder: 'STARTS_AT_DESC',
  conditions: {
    plan: byEnum('plan', 'Plan', 'Only periods of this plan.'),
    startsAt: byMoment('startsAt', 'Only periods that start in this range.'),
    isRunning: byFlag((statement, now) => {
      const moment = statement.bind(now, 'timestamptz')
      return `c."startsAt" <= ${moment} AND (c."endsAt" IS NULL OR c."endsAt" > ${moment})`
    }, 'Only periods that run now, or only those that do not.'),
  },
}

export const payments: Relation = {
  model: 'Payment',
  name: 'Payment',
  from: table('Payment'),
  key: [id],
  orders: {
    ...bothWays('PAID_AT', column('paidAt', 'timestamptz'), 'the moment of payment'),
    ...bothWays('AMOUNT', { sql: 'c."amount"::float8', type: 'float8', isNullable: false }, 'amount'),
  },
  defaultOrder: 'PAID_AT_DESC',
  conditions: {
    paidAt: byMoment('paidAt', 'Only payments in this range.'),
    amountUsd: byNumber('amount', 'Only payments of this size.'),
  },
}

export const cancellations: Relation = {
  model: 'Cancellation',
  name: 'Cancellation',
  from: table('Cancellation'),
  key: [id],
  orders: bothWays('AT', column('at', 'timestamptz'), 'moment'),
  defaultOrder: 'AT_DESC',
  conditions: { at: byMoment('at', 'Only cancellations in this range.') },
}
