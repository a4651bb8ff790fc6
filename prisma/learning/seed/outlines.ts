export type ContentType = 'TEXT' | 'VIDEO' | 'EXERCISE' | 'DISCUSSION'
export const contentTypes: readonly ContentType[] = ['TEXT', 'VIDEO', 'EXERCISE', 'DISCUSSION']
export type Complexity = 'BASIC' | 'INTERMEDIATE' | 'ADVANCED'

export interface Outline {
  readonly code: string
  readonly title: string
  /** How hard the course is on the whole, in deviations of ability. */
  readonly difficulty: number
  /** What its objectives are about, in order; the exam comes after the last. */
  readonly topics: readonly string[]
}

const outline = (code: string, title: string, difficulty: number, topics: string): Outline => ({
  code,
  title,
  difficulty,
  topics: topics.split(', '),
})

export const outlines: readonly Outline[] = [
  outline(
    'ALG',
    'Algebra from the start',
    0.35,
    'Numbers and order, Fractions, Linear equations, A budget in equations, Systems of equations, Inequalities, Powers and roots, Modelling a shop, Quadratics, Functions, Exponentials, Growth and decay',
  ),
  outline(
    'BIO',
    'The living cell',
    0,
    'What is alive, Molecules of life, Membranes, A cell drawn, Enzymes, Respiration, Photosynthesis, An experiment planned, DNA, From gene to protein, Division, A mutation traced',
  ),
  outline(
    'COD',
    'Programming with TypeScript',
    0.2,
    'Values and names, Conditions, Loops, A calculator, Functions, Arrays and maps, Types, A text game, Errors, Promises, Testing, A small server',
  ),
  outline(
    'DAT',
    'Reading data',
    0.1,
    'Tables, Averages and spread, Charts, A survey described, Chance, Distributions, Samples, A claim examined, Correlation, Regression, Tests, A report',
  ),
  outline(
    'ECO',
    'Everyday economics',
    -0.1,
    'Scarcity, Supply and demand, Prices, A market observed, Firms, Wages, Money, A policy weighed, Trade, Growth and cycles, Public goods, A forecast defended',
  ),
  outline(
    'HIS',
    'A short history of the world',
    -0.35,
    'Sources, First cities, Empires, A source read, Faiths and roads, Plagues, Print, A cause argued, Revolutions, Industry, Wars, A century compared',
  ),
  outline(
    'PHY',
    'Motion and energy',
    0.45,
    'Units, Speed, Acceleration, A fall measured, Forces, Friction, Work, A machine explained, Momentum, Waves, Heat, An engine analysed',
  ),
  outline(
    'WRI',
    'Clear writing',
    -0.4,
    'Words, Sentences, Paragraphs, A letter, Outlines, Argument, Evidence, A review, Style, Revision, Voice, An essay',
  ),
]
