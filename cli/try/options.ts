import { InvalidArgumentError } from 'commander'
import type { Task } from '../../trainer/dataset.ts'

/** What the command line asked for, parsed. */
export interface TryOptions {
  readonly label: string
  readonly positive?: string
  readonly task?: Task
  readonly drop: readonly string[]
  readonly id?: string
  readonly group?: string
  readonly time?: string
  readonly folds?: string
  readonly k: number
  readonly budget: number
  readonly seed: number
  readonly learners: 'auto' | 'linear' | 'boosted'
  readonly calibration: 'platt' | 'isotonic'
  readonly objective?: 'squared' | 'absolute' | 'poisson'
  readonly category: readonly string[]
  readonly number: readonly string[]
  readonly allowLeak: readonly string[]
  /** Categories whose values get metrics of their own. */
  readonly slice?: readonly string[]
  readonly threads?: number
  readonly json?: boolean
  readonly out?: string
}

/** `90`, `90s`, `2m`, `1h`, `500ms` to milliseconds; a bare number is seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?$/.exec(text.trim())
  if (!match) throw new InvalidArgumentError('Give a duration such as 60s, 5m or 500ms.')
  const unit = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }[match[2] ?? 's']!
  return Number(match[1]) * unit
}

/** `a,b` and repeated options to a list; a backslash keeps a comma. */
export function parseNames(text: string, before: readonly string[] = []): string[] {
  const names = text.split(/(?<!\\),/).map((name) => name.replaceAll('\\,', ',').trim())
  return [...before, ...names.filter((name) => name !== '')]
}

/** A whole number from `low` to `high`. */
export function parseWhole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(`Give a whole number from ${low} to ${high}.`)
    }
    return value
  }
}
