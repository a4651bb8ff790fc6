import type { RowWriter } from '../rows/writer.ts'
import { DAY } from './curriculum.ts'
import { type Draws, sigmoid } from './draws.ts'
import type { Person } from './person.ts'
import type { Week } from './study.ts'

const plans = [
  ['BASIC', 12],
  ['PRO', 29],
  ['TEAM', 49],
] as const
const reasons = ['Too expensive', 'No time', 'Finished what I came for', 'Found something else', null, null] as const
const MONTH = 30 * DAY

interface Period {
  readonly id: string
  readonly plan: (typeof plans)[number][0]
  readonly priceUsd: number
  readonly startsAt: number
}

/** What a learner pays for, walked week by week. A cancellation takes effect at once: the period ends at that moment. */
export class Membership {
  readonly #learnerId: string
  readonly #person: Person
  readonly #draws: Draws
  readonly #rows: RowWriter
  #period: Period | null = null
  #periods = 0
  #nextPayment = 0
  /** When a subscription begins; infinity when none is coming. */
  #startsAt: number
  /** When it will be cancelled; known a few weeks before, as it is to people. */
  cancelsAt = Number.POSITIVE_INFINITY

  constructor(learnerId: string, person: Person, joinedAt: number, draws: Draws, rows: RowWriter) {
    this.#learnerId = learnerId
    this.#person = person
    this.#draws = draws
    this.#rows = rows
    this.#startsAt = draws.chance(0.93) ? joinedAt + draws.between(0, 12) * DAY : Number.POSITIVE_INFINITY
  }

  get isLeaving(): boolean {
    return this.cancelsAt < Number.POSITIVE_INFINITY
  }
  /** Paying, or not asked to yet. */
  get isWelcome(): boolean {
    return this.#period !== null || this.#periods === 0
  }

  /** Returns the moment of a cancellation that fell into this week. */
  walk(week: Week, hasWithdrawnLately: boolean): number | null {
    if (!this.#period && this.#startsAt < week.until) {
      this.#open(Math.max(this.#startsAt, week.at), plans[this.#draws.weighted([55, 35, 10])]!)
      this.#startsAt = Number.POSITIVE_INFINITY
    }
    if (!this.#period) return null
    this.#considerLeaving(week, hasWithdrawnLately)
    const end = Math.min(week.until, this.cancelsAt)
    this.#pay(end)
    if (this.cancelsAt < week.until) return this.#cancel()
    if (this.#draws.chance(0.004)) this.#change(week.until)
    return null
  }

  /** Weariness, having nothing to study, the price and a lost course make it likelier; time makes it rarer. */
  #considerLeaving({ at, energy, load }: Week, hasWithdrawnLately: boolean): void {
    if (this.isLeaving) return
    const { startsAt, priceUsd } = this.#period!
    const hazard =
      -5.8 -
      2 * energy +
      (load === 0 ? 0.5 : 0) +
      (hasWithdrawnLately ? 0.8 : 0) +
      0.35 * this.#person.thrift * Math.sqrt(priceUsd / 29) +
      0.25 * this.#person.restlessness -
      0.2 * Math.log1p((at - startsAt) / MONTH)
    if (!this.#draws.chance(sigmoid(hazard))) return
    const weeks = this.#draws.chance(0.15) ? 0 : 2 + this.#draws.below(5)
    this.cancelsAt = Math.max(at, startsAt) + (7 * weeks + this.#draws.between(0, 7)) * DAY
  }

  #open(startsAt: number, [plan, price]: (typeof plans)[number]): void {
    const id = `${this.#learnerId}-${++this.#periods}`
    this.#period = { id, plan, priceUsd: this.#draws.chance(0.2) ? Math.round(price * 80) / 100 : price, startsAt }
    this.#nextPayment = startsAt
  }
  #close(endsAt: number | null): void {
    this.#rows.add('Subscription', { ...this.#period!, learnerId: this.#learnerId, endsAt })
    this.#period = null
  }

  /** Monthly, mostly on the day; the thrifty and those about to leave let it slip more often. */
  #pay(end: number): void {
    const { id, priceUsd } = this.#period!
    while (this.#nextPayment < end) {
      const slips = this.#draws.chance(sigmoid(-2.3 + 0.4 * this.#person.thrift + (this.isLeaving ? 0.8 : 0)))
      const paidAt = this.#nextPayment + (slips ? this.#draws.between(1, 10) * DAY : 0)
      if (paidAt >= end) {
        this.#nextPayment = paidAt
        return
      }
      this.#rows.add('Payment', {
        id: `${id}-${Math.round(paidAt / 1000)}`,
        learnerId: this.#learnerId,
        subscriptionId: id,
        amount: priceUsd,
        paidAt,
      })
      this.#nextPayment += MONTH
    }
  }

  #cancel(): number {
    const at = this.cancelsAt
    const { id } = this.#period!
    this.#rows.add('Cancellation', { id, learnerId: this.#learnerId, at, reason: this.#draws.pick(reasons) })
    this.#close(at)
    this.cancelsAt = Number.POSITIVE_INFINITY
    if (this.#draws.chance(0.12)) this.#startsAt = at + this.#draws.between(30, 150) * DAY
    return at
  }

  #change(at: number): void {
    const current = this.#period!.plan
    this.#close(at)
    this.#open(at, this.#draws.pick(plans.filter(([plan]) => plan !== current)))
  }

  /** Writes the period that runs at the present moment. */
  finish(): void {
    if (this.#period) this.#close(null)
  }
}
