import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createClock } from '../../../../platform/clock.ts'
import type { Database } from '../../../../platform/database.ts'
import { InklingError } from '../../../../platform/errors.ts'
import { DEFAULT_TENANT } from '../../../../platform/viewer.ts'
import {
  analyzeRows,
  clearTenant,
  lockRows,
  type Origin,
  readOrigin,
  rowsPresent,
  writeOrigin,
} from '../../rows/origin.ts'
import type { TableName } from '../../rows/tables.ts'
import { createRowWriter, type Written } from '../../rows/writer.ts'
import type { Progress } from '../../seed/school.ts'
import { endOfDay } from './calendar.ts'
import { assessmentColumns, courseColumns, readCourses } from './courses.ts'
import { readCsv } from './csv.ts'
import { clickColumns, infoColumns, readLearners, registrationColumns } from './learners.ts'
import { readSubmissions, submissionColumns } from './submissions.ts'

const required = {
  'courses.csv': courseColumns,
  'assessments.csv': assessmentColumns,
  'studentRegistration.csv': registrationColumns,
  'studentInfo.csv': infoColumns,
  'studentAssessment.csv': submissionColumns,
} as const
const CLICKS = 'vle_pre_course_clicks.csv'
const REPORT_BYTES = 65_536

export interface OuladOptions {
  readonly onProgress?: (progress: Progress) => void
  /** What "now" means for these rows; by default the end of the last day on which anything happened. */
  readonly now?: Date
}

export interface OuladImport {
  readonly folder: string
  /** The data's clock from now on. */
  readonly now: string
  readonly rows: Readonly<Partial<Record<TableName, Written>>>
  /** Enrolments with a day of withdrawal. */
  readonly withdrawn: number
  /** The simulated school that made room, if there was one. */
  readonly replaced: Origin | null
}

/**
 * Imports the Open University Learning Analytics tables from a folder, in one transaction: after a kill or a bad line nothing
 * of it is there, and a second run changes nothing. A simulated school makes room; rows of anybody else's are refused.
 * Throws IMPORT_INVALID naming file, line and column, or BAD_USER_INPUT. See docs/oulad.md for what becomes what.
 */
export async function importOulad(
  database: Database,
  folder: string,
  { onProgress, now }: OuladOptions = {},
): Promise<OuladImport> {
  const hasClicks = checkFolder(folder)
  const track = createTracker(folder, [...Object.keys(required), ...(hasClicks ? [CLICKS] : [])], onProgress)
  const open = <C extends string>(file: string, columns: readonly C[]) =>
    readCsv(join(folder, file), columns, (bytes) => track(file, bytes))

  return database.transaction(async (client) => {
    await lockRows(client)
    const origin = await readOrigin(database)
    if (origin === 'own') throw rowsPresent(origin)
    const replaced = origin?.source === 'simulated' ? origin : null
    if (replaced) await clearTenant(database, DEFAULT_TENANT)

    const rows = createRowWriter(client)
    const courses = await readCourses(
      open('courses.csv', courseColumns),
      open('assessments.csv', assessmentColumns),
      rows,
    )
    const learners = await readLearners(
      {
        registrations: open('studentRegistration.csv', registrationColumns),
        clicks: hasClicks ? open(CLICKS, clickColumns) : null,
        students: open('studentInfo.csv', infoColumns),
      },
      courses,
      rows,
    )
    const submissions = open('studentAssessment.csv', submissionColumns)
    const lastSubmittedAt = await readSubmissions(submissions, courses, learners.enrollments, rows)
    await rows.finish()
    await analyzeRows(client)

    const moment = now ?? new Date(endOfDay(Math.max(learners.lastAt, lastSubmittedAt)))
    const clock = await createClock(database, { INKLING_NOW: undefined })
    await clock.set(moment, `import of ${resolve(folder)}`)
    await writeOrigin(database, { source: 'oulad', folder: resolve(folder), now: moment.toISOString() })
    const { rows: counted } = await client.query<{ count: number }>(
      'SELECT count("withdrawnAt")::int AS "count" FROM "learning"."Enrollment"',
    )
    const withdrawn = counted[0]!.count
    return { folder: resolve(folder), now: moment.toISOString(), rows: rows.written, withdrawn, replaced }
  })
}

/** Looks for all files at once, so that a person mends the folder in one go. Says whether the optional one is there. */
function checkFolder(folder: string): boolean {
  const missing = Object.keys(required).filter((file) => !existsSync(join(folder, file)))
  if (missing.length === 0) return existsSync(join(folder, CLICKS))
  throw new InklingError(
    'IMPORT_INVALID',
    existsSync(folder) ? `The folder ${folder} has no ${missing.join(', ')}.` : `There is no folder ${folder}.`,
    `Name the folder that holds ${Object.keys(required).join(', ')}.`,
  )
}

/** Turns bytes read into progress over all files. */
function createTracker(folder: string, files: readonly string[], onProgress?: (progress: Progress) => void) {
  const total = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
  let done = 0
  let reported = 0
  return (file: string, bytes: number) => {
    done += bytes
    if (!onProgress || (done - reported < REPORT_BYTES && done < total)) return
    reported = done
    onProgress({ done, total, message: `reading ${file}` })
  }
}
