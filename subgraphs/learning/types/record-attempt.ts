import { InklingError } from '../../../platform/errors.ts'
import type PrismaTypes from '../../../prisma/learning/generated/pothos.ts'
import { withErrors } from '../../../schema/errors.ts'
import type { LearningBuilder, LearningContext } from '../builder.ts'
import { typeOf } from '../builder.ts'

interface RecordAttemptInput {
  readonly learnerId: string
  readonly objectiveId: string
  readonly score: number
  readonly submittedAt?: Date | null | undefined
  readonly durationMinutes?: number | null | undefined
}

type Attempt = PrismaTypes['Attempt']['Shape']

const MOST_MINUTES = 7 * 24 * 60

/** Registers the mutation that anyone can watch a risk move with. */
export function registerRecordAttempt(
  builder: LearningBuilder,
  // biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
  resultOf: (payload: any, unionName: string) => any,
): void {
  const Payload = builder.objectRef<{ attempt: Attempt }>('RecordAttemptPayload').implement({
    description: 'The attempt that was written, and how the learner stands now.',
    fields: (t) => ({
      attempt: t.field({
        type: typeOf(builder, 'Attempt'),
        description: 'The attempt.',
        resolve: ({ attempt }) => attempt,
      }),
      progress: t.field({
        type: typeOf(builder, 'Progress'),
        nullable: true,
        description: 'How the learner stands with the objective now; null when the enrolment was deleted meanwhile.',
        resolve: ({ attempt }, _args, { reads }) => reads.findProgress(attempt),
      }),
      learner: t.field({
        type: typeOf(builder, 'Learner'),
        description: 'The learner.',
        resolve: ({ attempt }, _args, { reads }) => reads.follow('Learner', attempt.learnerId),
      }),
    }),
  })
  const Input = builder.inputType('RecordAttemptInput', {
    description: 'A scored submission.',
    fields: (t) => ({
      learnerId: t.id({ required: true, description: 'Key of the learner.' }),
      objectiveId: t.id({ required: true, description: 'Key of an objective of a presentation they are enrolled in.' }),
      score: t.float({ required: true, description: '0..100.' }),
      submittedAt: t.field({ type: 'DateTime', description: 'When it was submitted, not after now. Default: now.' }),
      durationMinutes: t.float({ description: 'How long it took.' }),
    }),
  })
  builder.mutationFields((t) => ({
    recordAttempt: t.field({
      scopes: ['learning:write', 'learning:read'], // it answers with the rows that it wrote to
      type: resultOf(Payload, 'RecordAttemptResult'),
      description: "Writes a learner's scored submission for an objective.",
      args: { input: t.arg({ type: Input, required: true, description: 'The submission.' }) },
      resolve: (_root, { input }, context) =>
        withErrors(['InvalidInputError', 'NotFoundError'], () => recordAttempt(input, context)) as never,
    }),
  }))
}

async function recordAttempt(input: RecordAttemptInput, context: LearningContext): Promise<{ attempt: Attempt }> {
  const { prisma, reads, now } = context
  const { learnerId, objectiveId, score, durationMinutes = null } = input
  const submittedAt = input.submittedAt ?? now
  if (!(score >= 0 && score <= 100)) throw refused(`The score ${score} lies outside 0..100.`, 'Send a percentage.')
  if (durationMinutes !== null && !(durationMinutes >= 0 && durationMinutes <= MOST_MINUTES))
    throw refused(
      `durationMinutes ${durationMinutes} lies outside 0..${MOST_MINUTES}.`,
      'Send minutes, a week at most.',
    )
  if (submittedAt > now)
    throw refused(
      `submittedAt ${submittedAt.toISOString()} lies after now, ${now.toISOString()}.`,
      'Leave submittedAt out to mean now.',
    )
  const [learner, objective] = await Promise.all([
    reads.find('Learner', learnerId),
    reads.find('Objective', objectiveId),
  ])
  if (!learner) throw missing(`There is no learner "${learnerId}".`)
  if (!objective) throw missing(`There is no objective "${objectiveId}".`)
  const { presentationId } = objective
  const enrollment = await prisma.enrollment.findUnique({
    where: { learnerId_presentationId: { learnerId, presentationId } },
  })
  if (!enrollment)
    throw refused(
      `Learner "${learnerId}" is not enrolled in presentation "${presentationId}", to which "${objectiveId}" belongs.`,
      "Choose an objective of one of the learner's enrolments.",
    )
  if (enrollment.withdrawnAt && enrollment.withdrawnAt <= submittedAt)
    throw refused(
      `Learner "${learnerId}" left presentation "${presentationId}" at ${enrollment.withdrawnAt.toISOString()}.`,
      'Choose an objective of a presentation that the learner is still in.',
    )
  const attempt = await prisma.attempt.create({
    data: { learnerId, objectiveId, enrollmentId: enrollment.id, submittedAt, score, durationMinutes },
  })
  reads.forget()
  return { attempt }
}

function refused(message: string, hint: string): InklingError {
  return new InklingError('BAD_USER_INPUT', message, hint)
}

function missing(message: string): InklingError {
  return new InklingError('NOT_FOUND', message, 'Look for it with `learners` or `courses`.')
}
