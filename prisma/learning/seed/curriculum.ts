import type { Row } from '../rows/tables.ts'
import type { RowWriter } from '../rows/writer.ts'
import type { Draws } from './draws.ts'
import { type Complexity, type ContentType, contentTypes, type Outline, outlines } from './outlines.ts'

export const DAY = 86_400_000
/** Every course begins anew each 84 days and lasts 98; eight courses take turns, so one begins about every tenth day. */
const CYCLE_DAYS = 84
const LENGTH_DAYS = 98
const STAGGER_DAYS = 9
const PRESENTATIONS = 5
export const FIRST_START_DAY = -392

/** What a lesson is: the same in every presentation of its course. */
interface Lesson {
  readonly title: string
  readonly type: NonNullable<Row<'Objective'>['type']>
  readonly contentType: ContentType
  readonly complexity: Complexity
  readonly weight: number
  readonly dueDay: number
  readonly expectedMinutes: number
  /** How hard, in deviations of ability. Never written to the database. */
  readonly difficulty: number
  /** Positions, from 0, of the lessons that it builds on. */
  readonly requires: readonly number[]
}

export interface PlannedObjective extends Lesson {
  readonly id: string
  readonly dueAt: number
}

export interface PlannedPresentation {
  readonly id: string
  readonly course: string
  readonly startsAt: number
  readonly endsAt: number
  readonly objectives: readonly PlannedObjective[]
}

const shape = [
  ['LESSON', 0, 25],
  ['QUIZ', 2.5, 20],
  ['LESSON', 0, 30],
  ['ASSIGNMENT', 15, 150],
  ['QUIZ', 2.5, 20],
  ['COMPUTER_MARKED', 7.5, 45],
  ['LESSON', 0, 35],
  ['ASSIGNMENT', 15, 180],
  ['QUIZ', 2.5, 25],
  ['COMPUTER_MARKED', 7.5, 45],
  ['QUIZ', 2.5, 25],
  ['ASSIGNMENT', 15, 210],
  ['EXAM', 30, 120],
] as const

const harder: Record<Complexity, number> = { BASIC: -0.7, INTERMEDIATE: 0, ADVANCED: 0.7 }

function drawLessons(outline: Outline, draws: Draws): Lesson[] {
  return shape.map(([type, weight, expectedMinutes], at) => {
    const stage = at / shape.length + 0.22 * draws.normal()
    const complexity = stage < 0.34 ? 'BASIC' : stage < 0.72 ? 'INTERMEDIATE' : 'ADVANCED'
    const isExam = type === 'EXAM'
    const requires = new Set<number>()
    if (isExam) for (const assignment of [3, 7, 11]) requires.add(assignment)
    else if (at > 1) {
      if (draws.chance(0.55)) requires.add(at - 1)
      if (at > 2 && draws.chance(0.6)) requires.add(draws.below(at - 1))
    }
    return {
      title: isExam ? 'Final exam' : outline.topics[at]!,
      type,
      contentType: draws.pick(contentTypes),
      complexity,
      weight,
      dueDay: isExam ? LENGTH_DAYS - 2 : 7 * (at + 1),
      expectedMinutes,
      difficulty: outline.difficulty + harder[complexity] + 0.45 * draws.normal(),
      requires: [...requires].sort((a, b) => a - b),
    }
  })
}

/** Lays out courses, presentations, objectives, prerequisites and exams around `today`, a midnight UTC. */
export function planCurriculum(today: number, draws: Draws): PlannedPresentation[] {
  return outlines.flatMap((outline, course) => {
    const lessons = drawLessons(outline, draws.fork(course))
    return Array.from({ length: PRESENTATIONS }, (_, run) => {
      const startsAt = today + (FIRST_START_DAY + STAGGER_DAYS * course + CYCLE_DAYS * run) * DAY
      const id = `${outline.code}-${new Date(startsAt).toISOString().slice(0, 7)}`
      const objectives = lessons.map((lesson, at) => ({
        ...lesson,
        id: `${id}-${String(at + 1).padStart(2, '0')}`,
        dueAt: startsAt + (lesson.dueDay + 1) * DAY - 1000, // the last second of the day
      }))
      return { id, course: outline.code, startsAt, endsAt: startsAt + LENGTH_DAYS * DAY, objectives }
    })
  })
}

export function writeCurriculum(presentations: readonly PlannedPresentation[], rows: RowWriter): void {
  for (const { code, title } of outlines) rows.add('Course', { id: code, code, title })
  for (const { id, course, startsAt, endsAt, objectives } of presentations) {
    rows.add('Presentation', { id, courseId: course, code: id.slice(course.length + 1), startsAt, endsAt })
    objectives.forEach((objective, at) => {
      const { title, type, contentType, complexity, weight, dueAt, expectedMinutes } = objective
      rows.add('Objective', {
        id: objective.id,
        presentationId: id,
        title,
        type,
        contentType,
        complexity,
        weight,
        position: at + 1,
        dueAt,
        expectedMinutes,
      })
      for (const required of objective.requires)
        rows.add('Prerequisite', { objectiveId: objective.id, requiresId: objectives[required]!.id })
      if (type === 'EXAM') rows.add('Exam', { id: objective.id, presentationId: id, title, heldAt: dueAt })
    })
    const heldAt = startsAt + (49 + 10 / 24) * DAY
    rows.add('Exam', { id: `${id}-midterm`, presentationId: id, title: 'Midterm', heldAt })
  }
}
