import type { CsvLine } from './csv.ts'

const DAY = 86_400_000
const HOUR = 3_600_000

/** Presentations begin in February (B) or October (J); the tables count days from there and keep no hours. */
const firstDays: Readonly<Record<string, number>> = {
  '2013B': Date.UTC(2013, 1, 1),
  '2013J': Date.UTC(2013, 9, 1),
  '2014B': Date.UTC(2014, 1, 1),
  '2014J': Date.UTC(2014, 9, 1),
}

export const presentationColumns = ['code_module', 'code_presentation'] as const

export interface PresentationKey {
  /** Such as AAA-2013J. */
  readonly id: string
  readonly course: string
  readonly code: string
  readonly startsAt: number
}

export function readPresentationKey(line: CsvLine<(typeof presentationColumns)[number]>): PresentationKey {
  const course = line.text('code_module')
  const code = line.text('code_presentation')
  return { id: `${course}-${code}`, course, code, startsAt: line.oneOf('code_presentation', firstDays) }
}

/** Something that happened on a day counts as known from noon: not at the midnight before it, and surely at the one after. */
export const noonOf = (startsAt: number, day: number): number => startsAt + day * DAY + 12 * HOUR

/** What is due on a day may be handed in until its last second. */
export const endOf = (startsAt: number, day: number): number => startsAt + (day + 1) * DAY - 1000

/** The last millisecond of the day of a moment. */
export const endOfDay = (moment: number): number => (Math.floor(moment / DAY) + 1) * DAY - 1

export const daysAfter = (startsAt: number, days: number): number => startsAt + days * DAY
