import { InklingError } from '../../platform/errors.ts'
import type { Question } from './definition.ts'
import type { FeatureSpec } from './model.ts'
import type { FeatureText } from './reading.ts'
import { spotOf } from './spot.ts'

// The names become GraphQL fields, JSON keys and columns: plain identifiers pass everywhere.
const NAME = /^[a-z][A-Za-z0-9]{0,62}$/
const RESERVED = new Set(['constructor', 'prototype', 'eligible', 'key', 'label'])

/** What every model file must say. Throws MODEL_INVALID. */
export function checkQuestion(question: Question<string>): void {
  const { name, field, bands, gates = {}, minimumRows } = question
  if (typeof name !== 'string' || !NAME.test(name) || RESERVED.has(name))
    throw invalid(
      String(name),
      'its name is no identifier',
      'Name it with a lower-case letter, then letters and digits.',
    )
  if (field !== undefined && !NAME.test(field))
    throw invalid(name, `its field "${field}" is no identifier`, 'As for names.')
  const { probabilityField = name } = question
  if (!NAME.test(probabilityField))
    throw invalid(name, `its field "${probabilityField}" is no identifier`, 'As for names.')
  if (typeof question.question !== 'string' || question.question.trim() === '')
    throw invalid(name, 'it asks no question', 'Write the question in words: it is shown to people.')
  if (!(bands.LOW === 0 && bands.MEDIUM > 0 && bands.HIGH > bands.MEDIUM && bands.HIGH < 1))
    throw invalid(
      name,
      `the bands ${bands.LOW}, ${bands.MEDIUM}, ${bands.HIGH} do not rise from 0`,
      'Give LOW: 0 < MEDIUM < HIGH < 1.',
    )
  for (const [gate, { min, max }] of Object.entries(gates))
    if ((min === undefined && max === undefined) || ![min ?? 0, max ?? 0].every(Number.isFinite))
      throw invalid(name, `the gate "${gate}" has no bound`, 'Give it a min or a max.')
  if (minimumRows !== undefined && !(Number.isInteger(minimumRows) && minimumRows > 0))
    throw invalid(name, `minimumRows is ${minimumRows}`, 'Give a whole number above 0.')
}

export function invalid(model: string, message: string, hint: string): InklingError {
  return new InklingError('MODEL_INVALID', `Model "${model}": ${message}`, hint)
}

/** A feature as the engine knows it. Throws FEATURE_INVALID. */
export function specOf(model: string, name: string, kind: FeatureSpec['kind'], text: FeatureText): FeatureSpec {
  const spot = spotOf(model, `feature "${name}"`)
  if (!NAME.test(name) || RESERVED.has(name))
    throw spot.fault('its name is no identifier', 'Name it with a lower-case letter, then letters and digits.')
  const { unit, says = wordsOf(name), saysLower, actionable, monotone, levels } = text
  if (kind === 'category' && monotone !== undefined)
    throw spot.fault('a category has no order to be monotone in', 'Leave monotone out or read a number.')
  if (monotone !== undefined && monotone !== 1 && monotone !== -1)
    throw spot.fault(`monotone is ${String(monotone)}`, 'Give 1 or -1.')
  if (kind === 'number' && levels !== undefined) throw spot.fault('a number has no levels', 'Use f.category.')
  if (actionable?.min !== undefined && actionable.max !== undefined && actionable.min > actionable.max)
    throw spot.fault(`actionable goes from ${actionable.min} to ${actionable.max}`, 'Give min <= max.')
  return {
    name,
    kind,
    says,
    ...(unit === undefined ? {} : { unit }),
    ...(saysLower === undefined ? {} : { saysLower }),
    ...(actionable === undefined ? {} : { actionable }),
    ...(monotone === undefined ? {} : { monotone }),
    ...(levels === undefined ? {} : { levels }),
  }
}

/** "daysSinceActive" -> "Days since active" */
function wordsOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z0-9])/g, '$1 $2').toLowerCase()
  return words[0]!.toUpperCase() + words.slice(1)
}
