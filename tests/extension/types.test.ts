import { expect, expectTypeOf, it } from 'vitest'
import { inkling } from '../../ml/extension/extension.ts'
import type { RowFailure, RowPrediction } from '../../ml/extension/types.ts'
import type { Serving } from '../../ml/serving.ts'
import { churn } from '../../models/churn.ts'
import { struggle } from '../../models/struggle.ts'
import { withdrawal } from '../../models/withdrawal.ts'
import type { Learner, PrismaClient } from '../../prisma/learning/generated/prisma/client.ts'

// Each `@ts-expect-error` is a test of its own: `tsc` fails where a mistake compiles. Nothing here is called.
export const types = async (prisma: PrismaClient, serving: Serving) => {
  const db = prisma.$extends(inkling({ models: [churn, withdrawal, struggle], serving }))

  const learner = await db.learner.withML({ where: { id: '1' } })
  expectTypeOf(learner).toEqualTypeOf<
    (Learner & { readonly _ml: { readonly churn: RowPrediction | RowFailure } }) | null
  >()
  if (!learner) return
  expectTypeOf(learner._ml.churn.probability).toEqualTypeOf<number | null>()
  if (learner._ml.churn.failure === null) expectTypeOf(learner._ml.churn.probability).toEqualTypeOf<number>()
  // @ts-expect-error no such model
  learner._ml.nobody
  // @ts-expect-error a model about another entity
  learner._ml.withdrawal
  // @ts-expect-error it may have failed
  learner._ml.churn.probability.toFixed()

  const some = await db.learner.withMLMany({
    where: { country: 'FR' },
    take: 5,
    select: { name: true, enrollments: { select: { id: true } } },
  })
  expectTypeOf(some[0]!.name).toEqualTypeOf<string>()
  expectTypeOf(some[0]!.enrollments).toEqualTypeOf<{ id: string }[]>()
  // @ts-expect-error not selected
  some[0].id
  const included = await db.learner.withMLMany({ include: { enrollments: true } })
  expectTypeOf(included[0]!.enrollments[0]!.learnerId).toEqualTypeOf<string>()
  // @ts-expect-error no such column
  await db.learner.withMLMany({ where: { nickname: 'x' } })
  // @ts-expect-error not unique
  await db.learner.withML({ where: { name: 'x' } })
  // @ts-expect-error nothing is asked about courses
  await db.course.withMLMany()

  const thrown = await db.learner.withMLMany({}, { onFailure: 'throw' })
  expectTypeOf(thrown[0]!._ml.churn).toEqualTypeOf<RowPrediction>()
  const strict = prisma.$extends(inkling({ models: [churn], serving, onFailure: 'throw' }))
  const strictRows = await strict.learner.withMLMany()
  expectTypeOf(strictRows[0]!._ml.churn.probability).toEqualTypeOf<number>()
  // @ts-expect-error struggle was not given
  await strict.progress.withMLMany()

  const progress = await db.progress.withML({ where: { learnerId_objectiveId: { learnerId: '1', objectiveId: '2' } } })
  expectTypeOf(progress!._ml.struggle.riskLevel).toEqualTypeOf<'LOW' | 'MEDIUM' | 'HIGH' | null>()
  await db.$transaction(async (tx) => {
    const row = await tx.enrollment.withML({ where: { id: '1' } })
    expectTypeOf(row!._ml.withdrawal).toEqualTypeOf<RowPrediction | RowFailure>()
  })
}

it('types rows, models and failures of the Prisma extension', () => {
  expect(types).toBeTypeOf('function') // the compiler is the test
})
