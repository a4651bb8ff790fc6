import { type DateOrder, isMissing, momentOf, numberOf } from './cell.ts'
import { GrowingNumbers } from './numbers.ts'

/** More distinct texts than this are names or prose, not levels; the column is then no longer kept. */
const mostLevels = 100_000
const day = 86_400_000

/** What every cell so far could be read as. */
type Reading = 'nothing' | 'number' | 'date' | 'text' | 'overflow'

/**
 * One column while its file streams by: numbers until a cell is none, dates until a cell is none, then texts by code. What was
 * read as a number before is spelled back when a text turns up later.
 */
export class RawColumn {
  readonly name: string
  /** numbers; dates: milliseconds since the epoch; text: index into `levels`. NaN where missing. */
  readonly values = new GrowingNumbers()
  missing = 0
  /** Characters of all texts, for telling prose from levels. */
  characters = 0
  reading: Reading = 'nothing'
  /** Text -> code, in order of appearance. */
  levels = new Map<string, number>()
  readonly #keepsEveryLevel: boolean
  readonly #isCommaFree: boolean

  /** keepsEveryLevel: for labels and groups, which must not overflow. isCommaFree: commas do not separate cells. */
  constructor(name: string, options: { keepsEveryLevel: boolean; isCommaFree: boolean }) {
    this.name = name
    this.#keepsEveryLevel = options.keepsEveryLevel
    this.#isCommaFree = options.isCommaFree
  }

  push(raw: string): void {
    if (this.reading === 'overflow') return
    const cell = raw.trim()
    if (isMissing(cell)) {
      this.missing++
      this.values.push(Number.NaN)
    } else this.#pushKnown(cell)
  }

  /** The texts by code. */
  levelNames(): string[] {
    return [...this.levels.keys()]
  }

  /** At the end of the file: texts that are all dates written the local way become dates. Answers whether it did. */
  readLocalDates(): boolean {
    if (this.reading !== 'text' || this.levels.size === 0) return false
    const names = this.levelNames()
    const isDayFirst = names.some((name) => Number(/^(\d{1,2})\//.exec(name)?.[1] ?? 0) > 12)
    const order: DateOrder = isDayFirst ? 'day-first' : 'month-first'
    const moments = names.map((name) => momentOf(name, order))
    if (moments.some(Number.isNaN)) return false
    const values = new GrowingNumbers()
    for (let row = 0; row < this.values.length; row++) {
      const code = this.values.at(row)
      values.push(Number.isNaN(code) ? code : moments[code]!)
    }
    this.values.take(values)
    this.reading = 'date'
    this.levels.clear()
    return true
  }

  /** The value of one row as a feature: numbers as they are, dates in days since 1970, texts by code. */
  featureAt(row: number): number {
    const value = this.values.at(row)
    return this.reading === 'date' ? value / day : value
  }

  /** Frees the memory once the values stand elsewhere. */
  forget(): void {
    this.values.take(new GrowingNumbers())
  }

  #pushKnown(cell: string): void {
    if (this.reading === 'text') {
      this.#pushText(cell)
      return
    }
    if (this.reading !== 'date') {
      const number = numberOf(cell, this.#isCommaFree)
      if (!Number.isNaN(number)) {
        this.reading = 'number'
        this.values.push(number)
        return
      }
    }
    const moment = this.reading === 'number' || cell.includes('/') ? Number.NaN : momentOf(cell)
    if (!Number.isNaN(moment)) {
      this.reading = 'date'
      this.values.push(moment)
      return
    }
    this.#becomeText()
    this.#pushText(cell)
  }

  #pushText(cell: string): void {
    let code = this.levels.get(cell)
    if (code === undefined) {
      code = this.levels.size
      if (code >= mostLevels && !this.#keepsEveryLevel) {
        this.reading = 'overflow'
        this.forget()
        return
      }
      this.levels.set(cell, code)
    }
    this.characters += cell.length
    this.values.push(code)
  }

  /** Spells the numbers or dates so far back into texts. */
  #becomeText(): void {
    const wasDate = this.reading === 'date'
    this.reading = 'text'
    const codes = new GrowingNumbers()
    for (let row = 0; row < this.values.length; row++) {
      const value = this.values.at(row)
      if (Number.isNaN(value)) {
        codes.push(value)
        continue
      }
      const cell = wasDate ? spellMoment(value) : spellNumber(value)
      let code = this.levels.get(cell)
      if (code === undefined) {
        code = this.levels.size
        this.levels.set(cell, code)
      }
      this.characters += cell.length
      codes.push(code)
    }
    this.values.take(codes)
  }
}

/** The shortest spelling that the stored float32 stands for. */
const spellNumber = (value: number): string =>
  Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(7))}`

const spellMoment = (moment: number): string => {
  const text = new Date(moment).toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.replace('.000Z', 'Z')
}
