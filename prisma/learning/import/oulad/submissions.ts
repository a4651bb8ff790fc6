import type { RowWriter } from '../../rows/writer.ts'
import { noonOf } from './calendar.ts'
import type { Courses } from './courses.ts'
import type { CsvLine } from './csv.ts'

export const submissionColumns = ['id_assessment', 'id_student', 'date_submitted', 'is_banked', 'score'] as const

const truths = { true: true, false: false, '1': true, '0': false } as const

/** Streams studentAssessment.csv into Attempt rows. Returns the last moment at which anything was handed in. */
export async function readSubmissions(
  lines: AsyncIterable<CsvLine<(typeof submissionColumns)[number]>>,
  courses: Courses,
  enrollments: ReadonlySet<string>,
  rows: RowWriter,
): Promise<number> {
  let lastAt = 0
  const seen = new Set<string>()
  for await (const line of lines) {
    const objectiveId = String(line.integer('id_assessment'))
    const presentation = courses.assessments.get(objectiveId)
    if (!presentation) throw line.fault('id_assessment', 'an assessment of assessments.csv')
    const learnerId = String(line.integer('id_student'))
    const enrollmentId = `${presentation.id}-${learnerId}`
    if (!enrollments.has(enrollmentId))
      throw line.fault('id_student', `a student of ${presentation.id} in studentInfo.csv`)
    const id = `${objectiveId}-${learnerId}`
    if (seen.has(id)) throw line.fault('id_student', `new for assessment ${objectiveId}: it came before`)
    seen.add(id)
    const submittedAt = noonOf(presentation.startsAt, line.integer('date_submitted', -1000, 2000))
    lastAt = Math.max(lastAt, submittedAt)
    rows.add('Attempt', {
      id,
      learnerId,
      objectiveId,
      enrollmentId,
      submittedAt,
      score: line.optionalNumber('score', 0, 100),
      durationMinutes: null,
      isBanked: line.oneOf('is_banked', truths),
    })
    await rows.drain()
  }
  return lastAt
}
