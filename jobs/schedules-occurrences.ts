import { InklingError } from '../platform/errors.ts'
import type { Queue } from './queue.ts'
import type { Schedule } from './schedule.ts'

/** A run that starts within this time of its moment is on time; a later one was missed. */
export const LATE_MS = 60_000
/** Occurrences handled in one go; what is left follows at the next tick. */
export const BATCH = 100

const LONGEST_EXPRESSION = 1000
const LARGEST_CHUNK = 64
/** More than the hour before and the hour after a change of the clocks. */
const CLOCK_CHANGE_MS = 3 * 3_600_000
const FIELDS_OF_CRON = [5, 6]

type Calculator = Pick<Queue, 'occurrences'>
type Recurrence = Pick<Schedule, 'expression' | 'timeZone'>

export interface Occurrence {
  readonly at: Date
  readonly isMissed: boolean
}

/** Throws BAD_USER_INPUT for an expression or time zone that no clock could follow. */
export function checkRecurrence(calculator: Calculator, { expression, timeZone }: Recurrence): void {
  const fields = expression.trim().split(/\s+/).length
  const isRule = /[=:]/.test(expression) || expression.trim().startsWith('@')
  // The calculator fills in fields that are missing, and reads no time zone as UTC: what was forgotten would run at the wrong time.
  const isText = !/[^\P{Cc}\r\n\t]/u.test(expression)
  if (
    !isText ||
    expression.length > LONGEST_EXPRESSION ||
    (!isRule && !FIELDS_OF_CRON.includes(fields)) ||
    timeZone === ''
  )
    throw new InklingError(
      'BAD_USER_INPUT',
      `"${expression.slice(0, 100)}" in "${timeZone.slice(0, 100)}" is no schedule.`,
      'Use a cron expression of five fields such as "0 3 * * *" or a rule such as "FREQ=WEEKLY;BYDAY=MO", and an IANA time zone.',
    )
  calculator.occurrences(expression, timeZone, new Date(), 1)
}

/**
 * The next moments after a moment. Across a change of the clocks the calculator of cron counts from further back: asked from within the
 * hour that comes twice, it would give the run of 02:30 that the first of the two had already.
 */
export function nextOccurrences(calculator: Calculator, recurrence: Recurrence, from: Date, count: number): Date[] {
  const { expression, timeZone } = recurrence
  const before = new Date(from.getTime() - CLOCK_CHANGE_MS)
  const isRule = /[=:]/.test(expression)
  if (isRule || offsetOf(timeZone, before) === offsetOf(timeZone, new Date(from.getTime() + CLOCK_CHANGE_MS)))
    return calculator.occurrences(expression, timeZone, from, count)
  const moments: Date[] = []
  for (let start = before; moments.length < count; ) {
    const found = calculator.occurrences(expression, timeZone, start, LARGEST_CHUNK)
    if (found.length === 0) break
    moments.push(...found.filter((at) => at > from))
    start = found.at(-1)!
  }
  return moments.slice(0, count)
}

/** Such as GMT+02:00; the same for every moment of an unknown zone, which the calculator refuses in its own words. */
function offsetOf(timeZone: string, at: Date): string | undefined {
  try {
    const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(at)
    return parts.find((part) => part.type === 'timeZoneName')?.value
  } catch {
    return undefined
  }
}

/** The moments after a moment, calculated as they are asked for: those of a sparse rule cost milliseconds each. */
export function* occurrencesAfter(calculator: Calculator, recurrence: Recurrence, from: Date): Generator<Date> {
  for (let chunk = 1; ; chunk = Math.min(chunk * 2, LARGEST_CHUNK)) {
    const moments = nextOccurrences(calculator, recurrence, from, chunk)
    yield* moments
    if (moments.length === 0) return
    from = moments.at(-1)!
  }
}

/** The moments in (from, until], at most `most` of them. */
function occurrencesBetween(calculator: Calculator, recurrence: Recurrence, from: Date, until: Date, most: number) {
  const moments: Date[] = []
  for (const at of occurrencesAfter(calculator, recurrence, from)) {
    if (at > until || moments.length === most) break
    moments.push(at)
  }
  return moments
}

/** What is to be done at `now` about a schedule whose next moment has come, and when to look again. */
export function planDue(
  calculator: Calculator,
  schedule: Recurrence & { readonly missed: Schedule['missed']; readonly nextAt: Date },
  now: Date,
): { readonly runs: readonly Occurrence[]; readonly nextAt: Date | null } {
  const { missed, nextAt } = schedule
  const late = new Date(now.getTime() - LATE_MS)
  const from = missed === 'ALL' || nextAt > late ? justBefore(nextAt) : late
  const due = occurrencesBetween(calculator, schedule, from, now, BATCH)
  if (due.length === 0 && missed === 'ONCE') due.push(newestUntil(calculator, schedule, late))
  const runs = due.map((at) => ({ at, isMissed: at <= late }))
  const next = occurrencesAfter(calculator, schedule, due.length === BATCH ? due.at(-1)! : now).next()
  return { runs, nextAt: next.done ? null : next.value }
}

/** The last moment from nextAt to until. Looks back in steps that grow, so that a month of minutes is not counted through. */
function newestUntil(calculator: Calculator, schedule: Recurrence & { readonly nextAt: Date }, until: Date): Date {
  const { nextAt } = schedule
  for (let widthMs = LATE_MS * 4; ; widthMs *= 4) {
    const start = new Date(until.getTime() - widthMs)
    if (start <= nextAt) return newestBetween(calculator, schedule, nextAt, until) ?? nextAt
    const newest = newestBetween(calculator, schedule, start, until)
    if (newest) return newest
  }
}

function newestBetween(calculator: Calculator, schedule: Recurrence, from: Date, until: Date): Date | null {
  return occurrencesBetween(calculator, schedule, from, until, Number.POSITIVE_INFINITY).at(-1) ?? null
}

function justBefore(moment: Date): Date {
  return new Date(moment.getTime() - 1)
}
