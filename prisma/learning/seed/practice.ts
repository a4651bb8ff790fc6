import type { RowWriter } from '../rows/writer.ts'
import { DAY } from './curriculum.ts'
import { type Draws, sigmoid } from './draws.ts'
import { contentTypes } from './outlines.ts'
import type { Person } from './person.ts'
import type { Study, Week } from './study.ts'

/** Study sessions and recalls of one learner in one week. */
export function practise(
  learnerId: string,
  person: Person,
  studies: readonly Study[],
  week: Week,
  draws: Draws,
  rows: RowWriter,
): void {
  const { at, until, energy } = week
  const isIdle = studies.length === 0
  const share = (until - at) / (7 * DAY)
  const tastes = contentTypes.map((type) => Math.exp(0.8 * person.taste[type]))
  const sessions = draws.poisson(share * (isIdle ? 0.3 : 0.75) * Math.exp(0.5 * energy))
  for (let session = 1; session <= sessions; session++) {
    const startedAt = draws.between(at, until)
    const strength = 0.9 + 0.7 * person.ability + 0.2 * energy + 1.0 * draws.normal()
    rows.add('StudySession', {
      id: `${learnerId}-${Math.round(startedAt / 1000)}-${session}`,
      learnerId,
      startedAt,
      minutes: Math.max(3, Math.round(Math.exp(3.2 + 0.15 * energy + 0.45 * draws.normal()))),
      contentType: contentTypes[draws.weighted(tastes)]!,
      performance: draws.chance(0.12) ? null : Math.round(100 * sigmoid(strength)),
    })
  }
  for (const study of studies) recall(learnerId, person, study, week, share, draws, rows)
}

/** Recalls of what was attempted lately: the longer ago and the worse the score, the likelier a lapse. */
function recall(
  learnerId: string,
  person: Person,
  study: Study,
  { at, until, energy }: Week,
  share: number,
  draws: Draws,
  rows: RowWriter,
): void {
  const end = Math.min(until, study.leavesAt)
  const known = study.tried.filter((tried) => tried.at < at).slice(-8)
  if (known.length === 0 || end <= at) return
  const recalls = draws.poisson(share * 0.55 * Math.exp(0.5 * energy))
  for (let count = 1; count <= recalls; count++) {
    const { objective, score, at: triedAt } = draws.pick(known)
    const reviewedAt = draws.between(at, end)
    const days = (reviewedAt - triedAt) / DAY
    const reviewed = study.reviews.get(objective.id) ?? 0
    const hold =
      1.1 +
      0.5 * person.ability +
      (score - 70) / 40 -
      0.4 * Math.log1p(days / 7) +
      0.2 * reviewed +
      0.6 * draws.normal()
    study.reviews.set(objective.id, reviewed + 1)
    rows.add('Review', {
      id: `${objective.id}-${learnerId}-r${reviewed + 1}`,
      learnerId,
      objectiveId: objective.id,
      reviewedAt,
      rating: hold < 0 ? 1 : hold < 0.8 ? 2 : hold < 2 ? 3 : 4,
    })
  }
}
