import type { Artefact } from '../trainer/artefact.ts'
import type { Model } from './define.ts'

/** Holds the hold-out's metrics against the model's gates. Returns the reasons of every gate that failed. */
export function judge(model: Model, artefact: Pick<Artefact, 'metrics'>): string[] {
  return Object.entries(model.gates ?? {}).flatMap(([gate, bounds]) => {
    const metric = METRIC_OF_GATE[gate] ?? gate
    const value = artefact.metrics[metric]
    if (value === null || value === undefined) return [`${gate} is not known: not enough data`]
    const shown = value.toFixed(4)
    if (bounds.min !== undefined && value < bounds.min) return [`${gate} ${shown} is below ${bounds.min}`]
    if (bounds.max !== undefined && value > bounds.max) return [`${gate} ${shown} is above ${bounds.max}`]
    return []
  })
}

/** Gates are named for people; metrics as the trainer reports them. */
const METRIC_OF_GATE: Readonly<Record<string, string>> = { calibrationError: 'ece' }
