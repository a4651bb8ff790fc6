import type { RowWriter } from '../rows/writer.ts'
import { DAY, type PlannedPresentation } from './curriculum.ts'
import { type Draws, sigmoid } from './draws.ts'
import { Membership } from './membership.ts'
import { drawPerson } from './names.ts'
import { drawTraits, type Person } from './person.ts'
import { practise } from './practice.ts'
import { Study } from './study.ts'

const WEEK = 7 * DAY
const CREDITS = 30
/** A third of the learners were there when the school opened; the others came evenly since. */
const FIRST_DAY = -400
const FOUNDING_DAYS = 60
const LAST_DAY = -4

/** Lives one learner's year, week by week from joining to now, and writes its rows. Nothing lies after `now`. */
export function liveThrough(
  id: string,
  presentations: readonly PlannedPresentation[],
  now: number,
  draws: Draws,
  rows: RowWriter,
): void {
  const person = drawTraits(draws)
  const isFounder = draws.chance(0.4)
  const joinedDay = isFounder
    ? draws.between(FIRST_DAY, FIRST_DAY + FOUNDING_DAYS)
    : draws.between(FIRST_DAY + FOUNDING_DAYS, LAST_DAY)
  const joinedAt = now + joinedDay * DAY
  rows.add('Learner', { id, ...drawPerson(draws), region: null, joinedAt })

  const membership = new Membership(id, person, joinedAt, draws, rows)
  const studies: Study[] = []
  let drive = 0.6 + 0.8 * person.diligence + 0.4 * draws.normal() // keen at first
  let holidayWeeks = 0
  for (let at = joinedAt; at < now; at += WEEK) {
    const until = Math.min(at + WEEK, now)
    drive = 0.82 * drive + 0.16 * person.diligence + 0.36 * draws.normal()
    if (membership.isLeaving) drive -= 0.45
    if (holidayWeeks > 0) holidayWeeks--
    else if (draws.chance(0.035)) holidayWeeks = 1 + draws.below(3)
    const running = studies.filter((study) => !study.isOver(at))
    const energy = (holidayWeeks > 0 ? drive - 1.6 : drive) - (membership.isWelcome ? 0 : 1)
    const week = { at, until, energy, load: running.length }

    const cancelledAt = membership.walk(
      week,
      studies.some((study) => study.leavesAt <= at && study.leavesAt > at - 3 * WEEK),
    )
    if (cancelledAt !== null) {
      drive += 0.8 // the decision is made and weighs no more
      for (const study of running)
        if (draws.chance(0.7)) study.leavesAt = Math.min(study.leavesAt, cancelledAt + draws.between(0, 6) * DAY)
    }
    for (const study of running) study.walk(week)
    practise(
      id,
      person,
      running.filter((study) => study.presentation.startsAt <= at),
      week,
      draws,
      rows,
    )
    if (membership.isWelcome && cancelledAt === null) {
      const study = enroll(id, person, studies, presentations, week, draws, rows)
      if (study) studies.push(study)
    }
  }
  membership.finish()
  for (const [index, study] of studies.entries()) {
    const earlier = studies.slice(0, index)
    const repeats = earlier.filter((other) => other.presentation.course === study.presentation.course).length
    rows.add('Enrollment', study.row(now, repeats, CREDITS * (index + 1)))
  }
}

/** Perhaps takes up a course that begins within three weeks, or began in the last five days, and was not passed before. */
function enroll(
  learnerId: string,
  person: Person,
  studies: readonly Study[],
  presentations: readonly PlannedPresentation[],
  { at, until, energy }: { at: number; until: number; energy: number },
  draws: Draws,
  rows: RowWriter,
): Study | null {
  const running = studies.filter((study) => !study.isOver(at))
  if (running.length > 1) return null
  if (!draws.chance((running.length === 0 ? 0.65 : 0.07) * sigmoid(1 + 0.5 * energy))) return null
  const open = presentations.filter(
    (offer) =>
      offer.startsAt > at - 5 * DAY &&
      offer.startsAt < at + 21 * DAY &&
      !running.some((study) => study.presentation.course === offer.course) &&
      !studies.some((study) => study.presentation.course === offer.course && study.wasPassed) &&
      !studies.some((study) => study.presentation.id === offer.id),
  )
  if (open.length === 0) return null
  return new Study(learnerId, person, draws.pick(open), draws.between(at, until), draws, rows)
}
