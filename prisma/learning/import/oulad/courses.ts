import type { RowWriter } from '../../rows/writer.ts'
import { daysAfter, endOf, noonOf, type PresentationKey, presentationColumns, readPresentationKey } from './calendar.ts'
import type { CsvLine } from './csv.ts'

export const courseColumns = [...presentationColumns, 'module_presentation_length'] as const
export const assessmentColumns = [...presentationColumns, 'id_assessment', 'assessment_type', 'date', 'weight'] as const

const types = { TMA: 'ASSIGNMENT', CMA: 'COMPUTER_MARKED', Exam: 'EXAM' } as const

interface Presentation extends PresentationKey {
  readonly days: number
}

interface Assessment {
  readonly id: string
  readonly type: string
  readonly dueAt: number
  readonly weight: number
}

export interface Courses {
  readonly presentations: ReadonlyMap<string, Presentation>
  /** The presentation of each assessment. */
  readonly assessments: ReadonlyMap<string, Presentation>
}

/** Reads courses.csv and assessments.csv, a few hundred lines, into rows and into the index that the other tables refer to. */
export async function readCourses(
  courses: AsyncIterable<CsvLine<(typeof courseColumns)[number]>>,
  assessments: AsyncIterable<CsvLine<(typeof assessmentColumns)[number]>>,
  rows: RowWriter,
): Promise<Courses> {
  const presentations = new Map<string, Presentation>()
  const codes = new Set<string>()
  for await (const line of courses) {
    const key = readPresentationKey(line)
    if (presentations.has(key.id)) throw line.fault('code_presentation', `new: ${key.id} came before`)
    const days = line.integer('module_presentation_length', 1, 1000)
    presentations.set(key.id, { ...key, days })
    if (!codes.has(key.course)) rows.add('Course', { id: key.course, code: key.course, title: `Module ${key.course}` })
    codes.add(key.course)
    const { id, course, code, startsAt } = key
    rows.add('Presentation', { id, courseId: course, code, startsAt, endsAt: daysAfter(startsAt, days) })
  }

  const found = new Map<string, Presentation>()
  const byPresentation = new Map<string, Assessment[]>()
  for await (const line of assessments) {
    const presentation = presentations.get(readPresentationKey(line).id)
    if (!presentation) throw line.fault('code_presentation', 'a presentation of this module in courses.csv')
    const id = String(line.integer('id_assessment'))
    if (found.has(id)) throw line.fault('id_assessment', 'new: it came before')
    found.set(id, presentation)
    const type = line.text('assessment_type')
    line.oneOf('assessment_type', types)
    // The source says of an exam without a date that it is held at the end of the presentation.
    const day = line.optionalInteger('date', -365, 1000) ?? (type === 'Exam' ? presentation.days - 1 : null)
    if (day === null) throw line.fault('date', 'a day; only an exam may leave it open')
    const listed = byPresentation.get(presentation.id) ?? []
    byPresentation.set(presentation.id, listed)
    listed.push({ id, type, dueAt: endOf(presentation.startsAt, day), weight: line.number('weight', 0, 100) })
    if (type === 'Exam') {
      const heldAt = noonOf(presentation.startsAt, day)
      rows.add('Exam', { id, presentationId: presentation.id, title: 'Exam', heldAt })
    }
  }
  for (const [presentationId, listed] of byPresentation) addObjectives(presentationId, listed, rows)
  return { presentations, assessments: found }
}

/** In order of their due dates, named by kind and number: the source has no titles. */
function addObjectives(presentationId: string, listed: Assessment[], rows: RowWriter): void {
  const ordered = listed.sort((a, b) => a.dueAt - b.dueAt || Number(a.id) - Number(b.id))
  const counts = new Map<string, number>()
  for (const [at, { id, type, dueAt, weight }] of ordered.entries()) {
    const count = (counts.get(type) ?? 0) + 1
    counts.set(type, count)
    rows.add('Objective', {
      id,
      presentationId,
      title: type === 'Exam' && count === 1 ? type : `${type} ${count}`,
      type: types[type as keyof typeof types],
      contentType: null,
      complexity: null,
      weight,
      position: at + 1,
      dueAt,
      expectedMinutes: null,
    })
  }
}
