import type { LearningClient } from '../../platform/clients.ts'
import type { Subgraph } from '../../platform/request.ts'
import { registerErrors } from '../../schema/errors.ts'
import { toSubgraph } from '../../schema/federation.ts'
import { createLearningBuilder } from './builder.ts'
import { createLists } from './lists.ts'
import { createReads } from './rows/reads.ts'
import { registerAttempt } from './types/attempt.ts'
import { registerCourse } from './types/course.ts'
import { registerEnrollment } from './types/enrollment.ts'
import { registerEnums } from './types/enums.ts'
import { registerLearner } from './types/learner.ts'
import { registerObjective } from './types/objective.ts'
import { registerPatterns } from './types/patterns.ts'
import { registerPayments } from './types/payments.ts'
import { registerProgress } from './types/progress.ts'
import { registerRecordAttempt } from './types/record-attempt.ts'
import { registerStudy } from './types/study.ts'

/** The rows of the reference application: learners, courses, what they did and what they paid. */
export function createLearningSubgraph({ prisma }: { prisma: LearningClient }): Subgraph {
  const builder = createLearningBuilder()
  builder.queryType({ description: 'What can be asked.' })
  builder.mutationType({ description: 'What can be done.' })
  const resultOf = registerErrors(builder, ['InvalidInputError', 'NotFoundError'])
  const list = createLists(builder)
  const enums = registerEnums(builder)
  registerLearner(builder, list)
  registerCourse(builder, list)
  registerObjective(builder, list, enums)
  registerEnrollment(builder, list)
  registerProgress(builder, enums)
  registerAttempt(builder)
  registerStudy(builder, enums)
  registerPayments(builder, list, enums)
  registerPatterns(builder)
  registerRecordAttempt(builder, resultOf)
  return toSubgraph('learning', builder.toSchema(), (request) => ({
    ...request,
    prisma,
    reads: createReads(prisma, request),
  }))
}
