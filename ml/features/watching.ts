import { invalid } from './checks.ts'
import type { Question } from './definition.ts'
import type { Alerts, Model } from './model.ts'

type Watched = Pick<Model, 'threshold' | 'alerts' | 'retrain' | 'predictionLog' | 'outcomes'>

/** What a model file says about how its serving versions are watched: checked, and without what it leaves out. Throws MODEL_INVALID. */
export function watchingOf(question: Question<string>): Watched {
  const { name, threshold, alerts, retrain, predictionLog, outcomes } = question
  const share = (what: string, value: number | undefined) => {
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw invalid(name, `${what} is ${value}`, 'Give a share between 0 and 1.')
  }
  if (threshold !== undefined && !(threshold > 0 && threshold < 1))
    throw invalid(name, `its threshold is ${threshold}`, 'Give a probability between 0 and 1.')
  if (alerts) checkAlerts(name, alerts)
  share('predictionLog.share', predictionLog?.share)
  if (outcomes && !(outcomes.withinDays > 0 && Number.isFinite(outcomes.withinDays)))
    throw invalid(name, `outcomes.withinDays is ${outcomes.withinDays}`, 'Give a number of days above 0.')
  if (retrain && retrain.onOutcomes !== undefined && !(Number.isInteger(retrain.onOutcomes) && retrain.onOutcomes > 0))
    throw invalid(name, `retrain.onOutcomes is ${retrain.onOutcomes}`, 'Give a whole number above 0.')
  if (retrain && retrain.timeZone !== undefined && !isTimeZone(retrain.timeZone))
    throw invalid(name, `retrain.timeZone is "${retrain.timeZone}"`, 'Give an IANA name such as "Europe/Berlin".')
  return {
    ...(threshold === undefined ? {} : { threshold }),
    ...(alerts === undefined ? {} : { alerts }),
    ...(retrain === undefined ? {} : { retrain }),
    ...(predictionLog === undefined ? {} : { predictionLog }),
    ...(outcomes === undefined ? {} : { outcomes }),
  }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

function checkAlerts(name: string, alerts: Alerts): void {
  const { owner: _owner, days, minimumRows, drift, ...bounds } = alerts
  for (const [metric, bound] of Object.entries(bounds) as [string, { min?: number; max?: number } | undefined][])
    if (bound && ![bound.min ?? 0, bound.max ?? 0].every(Number.isFinite))
      throw invalid(name, `alerts.${metric} has no bound`, 'Give it a min or a max.')
  if (days !== undefined && !(days >= 1)) throw invalid(name, `alerts.days is ${days}`, 'Give at least one day.')
  if (minimumRows !== undefined && !(minimumRows >= 1))
    throw invalid(name, `alerts.minimumRows is ${minimumRows}`, 'Give at least one row.')
  if (drift && drift.psi !== undefined && !(drift.psi > 0))
    throw invalid(name, `alerts.drift.psi is ${drift.psi}`, 'Give a number above 0; 0.2 is a usual one.')
}
