import { type Draws, within } from './draws.ts'
import { type ContentType, contentTypes } from './outlines.ts'

/** What a simulated learner is like. Nothing but `background` ever reaches the database: models see only its traces. */
export interface Person {
  /** How well, in deviations among all learners. */
  readonly ability: number
  /** How steadily, in deviations; goes along with ability a little. */
  readonly diligence: number
  /** How much a price hurts, in deviations. */
  readonly thrift: number
  /** What nobody can see, yet makes leaving likelier: moves, illness, another provider. In deviations. */
  readonly restlessness: number
  readonly taste: Readonly<Record<ContentType, number>>
  readonly background: Background
}

export interface Background {
  readonly education: string
  readonly ageBand: string
  readonly deprivationBand: string
  readonly hasDisability: boolean
}

const educations = ['No formal education', 'Secondary school', 'Vocational training', 'Bachelor', 'Master or higher']
const ages = ['0-24', '25-34', '35-54', '55<=']

export function drawTraits(draws: Draws): Person {
  const ability = draws.normal()
  const schooling = Math.floor(within(0, 2.2 + 0.5 * ability + 1.1 * draws.normal(), 4.99))
  return {
    ability,
    diligence: 0.3 * ability + 0.95 * draws.normal(),
    thrift: draws.normal(),
    restlessness: draws.normal(),
    taste: Object.fromEntries(contentTypes.map((type) => [type, draws.normal()])) as Record<ContentType, number>,
    background: {
      education: educations[schooling]!,
      ageBand: ages[draws.weighted([30, 34, 27, 9])]!,
      deprivationBand: `${10 * draws.below(10)}%+`,
      hasDisability: draws.chance(0.08),
    },
  }
}
