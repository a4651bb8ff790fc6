import type { Budget, BudgetWindow } from '../../llm/budget.ts'
import { MOST_GROUPS, type UsageDimension, type UsageGroup } from '../../llm/usage.ts'
import { withErrors } from '../../schema/errors.ts'
import { refusedAsInput } from '../../schema/forward-page.ts'
import type { ResultOf } from './completions.ts'
import type { LlmBuilder } from './subgraph.ts'

/** Registers what answers may cost and what they did cost. */
export function registerBudgets(builder: LlmBuilder, resultOf: ResultOf): void {
  const ScopeRef = builder.enumType('BudgetScope', {
    description: 'Whose spending a budget limits.',
    values: {
      GLOBAL: { description: 'Everybody on this installation; only its operators set it.' },
      TEAM: { description: 'The tenant.' },
      VIEWER: { description: 'One viewer, or each one.' },
      PROMPT: { description: 'One prompt, or each one.' },
    } as const,
  })
  const PeriodRef = builder.enumType('BudgetPeriod', {
    description: 'Within what time, by UTC.',
    values: {
      HOUR: { description: 'An hour.' },
      DAY: { description: 'A day.' },
      MONTH: { description: 'A calendar month.' },
    } as const,
  })
  const WindowRef = builder.objectRef<BudgetWindow>('BudgetWindow').implement({
    description: 'What a budget holds in the present period, for one subject.',
    fields: (t) => ({
      subject: t.exposeString('subject', { description: 'The viewer or prompt; empty for GLOBAL and TEAM.' }),
      startsAt: t.expose('startsAt', { type: 'DateTime', description: 'When the period began.' }),
      reservedUsd: t.exposeFloat('reservedUsd', { description: 'Set aside for answers under way.' }),
      spentUsd: t.exposeFloat('spentUsd', { description: 'Paid.' }),
    }),
  })
  const BudgetRef = builder.objectRef<Budget>('Budget').implement({
    description:
      'A limit on what answers may cost. Money is set aside before a call and settled after it, so that it is never overspent.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Its id.' }),
      scope: t.expose('scope', { type: ScopeRef, description: 'Whose spending it limits.' }),
      subject: t.exposeString('subject', {
        description: 'A viewer or prompt; empty: each of them that has no budget of its own.',
      }),
      period: t.expose('period', { type: PeriodRef, description: 'Within what time.' }),
      limitUsd: t.exposeFloat('limitUsd', { description: 'How much.' }),
      changedAt: t.expose('changedAt', { type: 'DateTime', description: 'When it was set.' }),
      windows: t.field({
        type: [WindowRef],
        description: 'What it holds now, the fullest 20 subjects first.',
        resolve: async ({ id }, _args, { llm, instant }) => (await llm.budgets.windows([id], instant)).get(id) ?? [],
      }),
    }),
  })
  const DimensionRef = builder.enumType('UsageDimension', {
    description: 'What usage can be added up by.',
    values: {
      HOUR: { description: 'The hour, UTC.' },
      DAY: { description: 'The day, UTC.' },
      MONTH: { description: 'The month, UTC.' },
      VIEWER: { description: 'Who asked.' },
      PROMPT: { description: 'The prompt it was made from.' },
      TARGET: { description: 'Who answered.' },
    } as const satisfies Record<UsageDimension, object>,
  })
  const GroupRef = builder.objectRef<UsageGroup>('UsageGroup').implement({
    description: 'What the calls of one group came to. A call is one attempt at one target.',
    fields: (t) => ({
      key: t.stringList({
        description: 'One value for each dimension asked for, in its order.',
        resolve: ({ key }) => [...key],
      }),
      calls: t.exposeInt('calls', { description: 'How many.' }),
      inputTokens: t.exposeFloat('inputTokens', { description: 'Tokens of the questions.' }),
      cachedInputTokens: t.exposeFloat('cachedInputTokens', { description: "Part of them, from providers' caches." }),
      outputTokens: t.exposeFloat('outputTokens', { description: 'Tokens of the answers.' }),
      costUsd: t.exposeFloat('costUsd', { description: 'What they cost.' }),
    }),
  })
  builder.queryFields((t) => ({
    budgets: t.field({
      type: [BudgetRef],
      scopes: ['llm:read'],
      description: "The tenant's budgets.",
      resolve: (_root, _args, { llm, viewer }) => llm.budgets.list(viewer),
    }),
    usage: t.field({
      type: [GroupRef],
      scopes: ['llm:read'],
      description: `What the tenant used, added up for charts; ${MOST_GROUPS} groups at most, in the order of their keys.`,
      args: {
        groupBy: t.arg({ type: [DimensionRef], required: true, description: 'One to three dimensions.' }),
        from: t.arg({ type: 'DateTime', required: true, description: 'From this moment on.' }),
        to: t.arg({ type: 'DateTime', required: true, description: 'Up to this moment, which is not in it.' }),
      },
      resolve: (_root, { groupBy, from, to }, { llm, viewer }) =>
        refusedAsInput(() => llm.usage(viewer, { groupBy, from, to })),
    }),
  }))

  const SetInput = builder.inputType('SetBudgetInput', {
    description: 'A budget as it is to be.',
    fields: (t) => ({
      scope: t.field({ type: ScopeRef, required: true, description: 'Whose spending.' }),
      subject: t.string({ description: 'A viewer or prompt; without it, each of them. Only for VIEWER and PROMPT.' }),
      period: t.field({ type: PeriodRef, required: true, description: 'Within what time.' }),
      limitUsd: t.float({ description: 'How much; 0 allows only what is free. null removes the budget.' }),
    }),
  })
  const SetPayload = builder.objectRef<{ budget: Budget | null }>('SetBudgetPayload').implement({
    description: 'The budget as it is now.',
    fields: (t) => ({
      budget: t.expose('budget', {
        type: BudgetRef,
        nullable: true,
        description: 'The budget; null when it is removed.',
      }),
    }),
  })
  builder.mutationFields((t) => ({
    setBudget: t.field({
      scopes: ['llm:admin'],
      type: resultOf(SetPayload, 'SetBudgetResult'),
      description: 'Makes, changes or removes a budget. A new one counts what is asked from now on.',
      args: { input: t.arg({ type: SetInput, required: true, description: 'The budget.' }) },
      resolve: (_root, { input }, { llm, viewer }) =>
        withErrors(['InvalidInputError', 'ForbiddenError'], async () => {
          const { scope, period, subject, limitUsd } = input
          return {
            budget: await llm.budgets.set(
              { scope, period, subject: subject ?? '', limitUsd: limitUsd ?? null },
              viewer,
            ),
          }
        }) as never,
    }),
  }))
}
