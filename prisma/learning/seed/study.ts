import type { Row } from '../rows/tables.ts'
import type { RowWriter } from '../rows/writer.ts'
import { DAY, type PlannedObjective, type PlannedPresentation } from './curriculum.ts'
import { type Draws, sigmoid, within } from './draws.ts'
import type { Person } from './person.ts'

const activityKinds = ['CONTENT', 'FORUM', 'QUIZ', 'RESOURCE', 'OTHER'] as const
const activityShares = [46, 14, 20, 14, 6]
const retried: ReadonlySet<string> = new Set(['LESSON', 'QUIZ', 'COMPUTER_MARKED'])
/** A score from which an objective counts as learnt, by whoever builds on it. */
const MASTERED = 60

/** A week, or the part of it before the present moment. Nothing is ever written at or after `until`. */
export interface Week {
  readonly at: number
  readonly until: number
  /** The learner's energy in deviations, the same for everything done that week. */
  readonly energy: number
  /** How many courses run at once. */
  readonly load: number
}

export interface Tried {
  readonly objective: PlannedObjective
  readonly score: number
  readonly at: number
}

/** One enrolment, walked week by week until it ends, is withdrawn from, or the present is reached. */
export class Study {
  readonly presentation: PlannedPresentation
  readonly registeredAt: number
  readonly best = new Map<number, number>()
  /** When it will be withdrawn from; known a few weeks before, as it is to people. */
  leavesAt = Number.POSITIVE_INFINITY
  /** Objectives attempted so far, for reviews. */
  readonly tried: Tried[] = []
  readonly reviews = new Map<string, number>()
  readonly #learnerId: string
  readonly #person: Person
  readonly #draws: Draws
  readonly #rows: RowWriter
  readonly #plannedAt: readonly number[]
  #interest: number
  #recentLows = 0

  constructor(
    learnerId: string,
    person: Person,
    presentation: PlannedPresentation,
    registeredAt: number,
    draws: Draws,
    rows: RowWriter,
  ) {
    this.#learnerId = learnerId
    this.#person = person
    this.presentation = presentation
    this.registeredAt = registeredAt
    this.#draws = draws
    this.#rows = rows
    this.#interest = 0.5 * draws.normal()
    this.#plannedAt = presentation.objectives.map(({ type, dueAt }) => {
      if (type === 'EXAM') return dueAt - draws.between(0.2, 0.5) * DAY
      const lateness = -1.3 - 0.6 * person.diligence + 1.4 * draws.normal()
      return dueAt + within(-6.5, lateness, 6) * DAY
    })
  }

  get id(): string {
    return `${this.presentation.id}-${this.#learnerId}`
  }
  isOver(at: number): boolean {
    return at >= Math.min(this.leavesAt, this.presentation.endsAt)
  }
  get wasPassed(): boolean {
    return this.#mark() >= 50
  }

  walk(week: Week): void {
    const { at, until } = week
    this.#interest = 0.94 * this.#interest + 0.22 * this.#draws.normal()
    if (until <= this.presentation.startsAt) return
    const engagement = week.energy + this.#interest
    this.#considerLeaving(week, engagement)
    const end = Math.min(until, this.leavesAt, this.presentation.endsAt)
    this.#click(Math.max(at, this.presentation.startsAt), end, engagement)
    for (const [position, plannedAt] of this.#plannedAt.entries())
      if (plannedAt >= Math.max(at, this.registeredAt) && plannedAt < end)
        this.#attempt(position, plannedAt, end, engagement, week.load)
  }

  /** Weariness, low scores and too much at once make leaving likelier; a third leave at once, the others fade for weeks. */
  #considerLeaving({ at, load }: Week, engagement: number): void {
    if (this.leavesAt < Number.POSITIVE_INFINITY) {
      this.#interest -= 0.45
      return
    }
    const hazard =
      -5.15 -
      1.2 * engagement +
      0.45 * Math.min(this.#recentLows, 3) +
      0.4 * (load - 1) +
      0.5 * this.#person.restlessness
    if (!this.#draws.chance(sigmoid(hazard))) return
    const weeks = this.#draws.chance(0.25) ? 0 : 1 + this.#draws.below(5)
    this.leavesAt = at + (7 * weeks + this.#draws.between(0, 7)) * DAY
  }

  #click(from: number, until: number, engagement: number): void {
    const draws = this.#draws
    const active = sigmoid(-1.45 + 0.75 * engagement)
    for (let day = Math.ceil(from / DAY) * DAY; day < until; day += DAY) {
      if (!draws.chance(active)) continue
      const first = draws.weighted(activityShares)
      const clicks = 1 + draws.poisson(Math.exp(1.9 + 0.3 * engagement + 0.4 * draws.normal()))
      this.#addActivity(day, first, clicks)
      const second = draws.weighted(activityShares)
      if (second !== first && draws.chance(0.2)) this.#addActivity(day, second, 1 + draws.poisson(4))
    }
  }
  #addActivity(day: number, kind: number, clicks: number): void {
    const presentationId = this.presentation.id
    this.#rows.add('Activity', {
      learnerId: this.#learnerId,
      presentationId,
      day,
      kind: activityKinds[kind]!,
      clicks,
    })
  }

  #attempt(position: number, at: number, end: number, engagement: number, load: number): void {
    const draws = this.#draws
    const objective = this.presentation.objectives[position]!
    if (!draws.chance(sigmoid(2.1 + 1.0 * engagement + (objective.weight > 0 ? 0.5 : -0.3)))) return
    const score = this.#drawScore(objective, engagement, load)
    this.#submit(position, 1, at, score)
    if (score >= MASTERED || !retried.has(objective.type) || !draws.chance(0.45)) return
    const again = at + draws.between(0.5, 6) * DAY
    if (again < end)
      this.#submit(position, 2, again, Math.min(100, score + Math.round(4 + 14 * Math.abs(draws.normal()))))
  }

  /** An item-response curve: ability against difficulty, what was not learnt before, taste, practice, and luck. */
  #drawScore(objective: PlannedObjective, engagement: number, load: number): number {
    const { ability, taste } = this.#person
    const missing = objective.requires.filter((required) => (this.best.get(required) ?? 0) < MASTERED).length
    const gap = objective.requires.length === 0 ? 0 : missing / objective.requires.length
    const practice = objective.requires.reduce(
      (sum, required) => sum + (this.reviews.get(this.presentation.objectives[required]!.id) ?? 0),
      0,
    )
    const strength =
      0.9 * ability -
      objective.difficulty -
      0.8 * gap +
      0.3 * within(-2, engagement, 2) +
      0.3 * taste[objective.contentType] +
      0.15 * Math.min(practice, 4) -
      0.25 * (load - 1) +
      1.1 * this.#draws.normal()
    return Math.round(100 * sigmoid(1.35 + 0.8 * strength))
  }

  #submit(position: number, attempt: number, submittedAt: number, score: number): void {
    const objective = this.presentation.objectives[position]!
    this.best.set(position, Math.max(score, this.best.get(position) ?? 0))
    this.tried.push({ objective, score, at: submittedAt })
    this.#recentLows = score < MASTERED ? this.#recentLows + 1 : Math.max(0, this.#recentLows - 1)
    this.#interest += score < MASTERED ? -0.2 : score > 80 ? 0.06 : 0
    this.#rows.add('Attempt', {
      id: `${objective.id}-${this.#learnerId}-${attempt}`,
      learnerId: this.#learnerId,
      objectiveId: objective.id,
      enrollmentId: this.id,
      submittedAt,
      score: this.#draws.chance(0.01) ? null : score, // lost papers
      durationMinutes: Math.round(objective.expectedMinutes * Math.exp(0.3 * this.#draws.normal())),
      isBanked: false,
    })
  }

  /** The weighted mark so far, 0..100; what was not handed in counts as nothing. */
  #mark(): number {
    return this.presentation.objectives.reduce(
      (sum, { weight }, position) => sum + (weight / 100) * (this.best.get(position) ?? 0),
      0,
    )
  }

  /** The enrolment as it stands at the present moment. */
  row(now: number, previousAttempts: number, studiedCredits: number): Row<'Enrollment'> {
    const { presentation, leavesAt } = this
    const hasLeft = leavesAt <= Math.min(now, presentation.endsAt)
    const mark = this.#mark()
    const result = mark >= 82 ? 'Distinction' : mark >= 50 ? 'Pass' : 'Fail'
    return {
      id: this.id,
      learnerId: this.#learnerId,
      presentationId: presentation.id,
      registeredAt: this.registeredAt,
      withdrawnAt: hasLeft ? leavesAt : null,
      finalResult: hasLeft ? 'Withdrawn' : presentation.endsAt <= now ? result : null,
      ...this.#person.background,
      previousAttempts,
      studiedCredits,
      clicksBeforeStart:
        presentation.startsAt <= now
          ? this.#draws.poisson(Math.exp(2.3 + 0.25 * this.#person.diligence + 0.4 * this.#draws.normal()))
          : null,
    }
  }
}
