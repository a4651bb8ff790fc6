import type { Row } from '../../rows/tables.ts'
import type { RowWriter } from '../../rows/writer.ts'
import { noonOf, presentationColumns, readPresentationKey } from './calendar.ts'
import type { Courses } from './courses.ts'
import type { CsvLine } from './csv.ts'

const studentColumns = [...presentationColumns, 'id_student'] as const
export const registrationColumns = [...studentColumns, 'date_registration', 'date_unregistration'] as const
export const clickColumns = [...studentColumns, 'pre_course_clicks'] as const
export const infoColumns = [
  ...studentColumns,
  'gender',
  'region',
  'highest_education',
  'imd_band',
  'age_band',
  'num_of_prev_attempts',
  'studied_credits',
  'disability',
  'final_result',
] as const

const truths = { true: true, false: false, Y: true, N: false } as const
const results = { Pass: 'Pass', Fail: 'Fail', Withdrawn: 'Withdrawn', Distinction: 'Distinction' } as const
const genders = { F: 'F', M: 'M' } as const

type Line<Columns extends readonly string[]> = CsvLine<Columns[number]>

interface Registration {
  readonly registeredAt: number | null
  readonly withdrawnAt: number | null
  readonly line: Line<typeof registrationColumns>
}

/** A learner as the latest presentation describes them. */
interface Described {
  readonly learner: Row<'Learner'>
  readonly startsAt: number
}

export interface Sources {
  readonly registrations: AsyncIterable<Line<typeof registrationColumns>>
  /** Null where the folder lacks the file: it is no part of the published tables. */
  readonly clicks: AsyncIterable<Line<typeof clickColumns>> | null
  readonly students: AsyncIterable<Line<typeof infoColumns>>
}

function readEnrollmentKey(line: Line<typeof studentColumns>, courses: Courses) {
  const key = readPresentationKey(line)
  const presentation = courses.presentations.get(key.id)
  if (!presentation) throw line.fault('code_presentation', 'a presentation of this module in courses.csv')
  const learnerId = String(line.integer('id_student'))
  return { presentation, learnerId, id: `${presentation.id}-${learnerId}` }
}

/**
 * Joins the three tables about students into Learner and Enrollment rows; all of them are held, some 10 MB. Returns the ids of
 * the enrolments and the last moment at which anybody registered or left.
 */
export async function readLearners(
  { registrations, clicks, students }: Sources,
  courses: Courses,
  rows: RowWriter,
): Promise<{ enrollments: ReadonlySet<string>; lastAt: number }> {
  let lastAt = 0
  const registered = new Map<string, Registration>()
  for await (const line of registrations) {
    const { id, presentation } = readEnrollmentKey(line, courses)
    if (registered.has(id)) throw line.fault('id_student', `new in ${presentation.id}: it came before`)
    const day = (column: 'date_registration' | 'date_unregistration') => {
      const days = line.optionalInteger(column, -1000, 1000)
      return days === null ? null : noonOf(presentation.startsAt, days)
    }
    const registration = { registeredAt: day('date_registration'), withdrawnAt: day('date_unregistration'), line }
    registered.set(id, registration)
    lastAt = Math.max(lastAt, registration.registeredAt ?? 0, registration.withdrawnAt ?? 0)
  }

  const clicksOf = new Map<string, number>()
  for await (const line of clicks ?? [])
    clicksOf.set(readEnrollmentKey(line, courses).id, line.integer('pre_course_clicks'))

  const described = new Map<string, Described>()
  const enrolled = new Map<string, Row<'Enrollment'>>()
  for await (const line of students) {
    const { id, presentation, learnerId } = readEnrollmentKey(line, courses)
    if (enrolled.has(id)) throw line.fault('id_student', `new in ${presentation.id}: it came before`)
    const registration = registered.get(id)
    describe(described, learnerId, presentation.startsAt, registration?.registeredAt ?? null, line)
    enrolled.set(id, {
      id,
      learnerId,
      presentationId: presentation.id,
      registeredAt: registration?.registeredAt ?? null,
      withdrawnAt: registration?.withdrawnAt ?? null,
      finalResult: line.oneOf('final_result', results),
      education: line.optionalText('highest_education'),
      ageBand: line.optionalText('age_band'),
      deprivationBand: line.optionalText('imd_band')?.replace(/(\d)$/, '$1%') ?? null, // one band lacks its sign in the source
      hasDisability: line.oneOf('disability', truths),
      previousAttempts: line.integer('num_of_prev_attempts', 0, 100),
      studiedCredits: line.integer('studied_credits', 0, 10_000),
      clicksBeforeStart: clicksOf.get(id) ?? null,
    })
  }
  for (const [id, { line }] of registered)
    if (!enrolled.has(id)) throw line.fault('id_student', 'a student of this presentation in studentInfo.csv')

  for (const { learner } of described.values()) {
    rows.add('Learner', learner)
    await rows.drain()
  }
  for (const enrollment of enrolled.values()) {
    rows.add('Enrollment', enrollment)
    await rows.drain()
  }
  return { enrollments: new Set(enrolled.keys()), lastAt }
}

/** Keeps what the latest presentation says of a learner, and the earliest moment that any of them registered. */
function describe(
  described: Map<string, Described>,
  learnerId: string,
  startsAt: number,
  registeredAt: number | null,
  line: Line<typeof infoColumns>,
): void {
  const before = described.get(learnerId)
  // Every learner joined at some time; where no registration has a date, the first day of the course is the latest it can be.
  const joinedAt = Math.min(before?.learner.joinedAt ?? Number.POSITIVE_INFINITY, registeredAt ?? startsAt)
  if (before && before.startsAt > startsAt) {
    described.set(learnerId, { ...before, learner: { ...before.learner, joinedAt } })
    return
  }
  const learner = {
    id: learnerId,
    name: `Student ${learnerId}`,
    gender: line.oneOf('gender', genders),
    country: null,
    region: line.optionalText('region'),
    joinedAt,
  }
  described.set(learnerId, { learner, startsAt })
}
