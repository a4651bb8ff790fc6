import { InklingError } from '../../platform/errors.ts'
import type { Question } from './definition.ts'
import type { Better, FeatureSpec, Gate, Gates } from './model.ts'
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
  checkGates(name, gates, question.better)
  if (minimumRows !== undefined && !(Number.isInteger(minimumRows) && minimumRows > 0))
    throw invalid(name, `minimumRows is ${minimumRows}`, 'Give a whole number above 0.')
}

/** Metrics that have no interval, so that nothing can be said about a gain. */
const UNCOMPARED = new Set(['calibrationError', 'ece'])

function checkGates(model: string, gates: Gates, better: Better | undefined): void {
  for (const [gate, { min, max, slices = {}, champion, baseline }] of Object.entries(gates)) {
    const bounds = [{ min, max }, ...Object.values(slices)]
    const isEmpty = min === undefined && max === undefined && !champion && !baseline && !Object.keys(slices).length
    const isOpen = Object.values(slices).some((slice) => slice.min === undefined && slice.max === undefined)
    const numbers = [...bounds.flatMap((bound) => [bound.min ?? 0, bound.max ?? 0]), ...gainsOf(champion, baseline)]
    if (isEmpty || isOpen || !numbers.every(Number.isFinite))
      throw invalid(model, `the gate "${gate}" has no bound`, 'Give it a min or a max.')
    if ((champion || baseline) && UNCOMPARED.has(gate)) throw uncompared(model, gate)
  }
  if (better?.metric !== undefined && UNCOMPARED.has(better.metric)) throw uncompared(model, better.metric)
}

const gainsOf = (...demands: (Gate['champion'] | undefined)[]) =>
  demands.flatMap((demand) => (demand ? [demand.atLeast] : []))

function uncompared(model: string, metric: string): InklingError {
  return invalid(
    model,
    `"${metric}" cannot be compared with another version`,
    'Compare logLoss, brier, auc, prAuc, accuracy, precision, recall or f1.',
  )
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
