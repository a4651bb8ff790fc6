import type { Database } from '../../platform/database.ts'
import { messageOf } from '../../platform/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Model } from '../define.ts'
import type { ModelVersion } from '../model-version.ts'
import { largePsiOf, readDrift, readPredictionDrift } from '../monitoring/observations.ts'
import { dayOf, readSketches, type Sketch } from '../monitoring/sketches.ts'
import type { Serving } from '../serving.ts'
import { type Finding, judgeDrift, judgePerformance, judgeShare, newestDays, spanOf } from './findings.ts'
import { type AlertEvent, type OnAlertEvent, settleAlert } from './store.ts'

const DAY_MS = 86_400_000
/** How far back outcomes are looked for. */
const HORIZON_DAYS = 365
const DEFAULT_ABSTENTION = 0.2
const DEFAULT_ERRORS = 0.05

export interface EvaluationEngines {
  readonly database: Database
  readonly serving: Pick<Serving, 'championAt'>
  readonly log: Log
  /** Called in the transaction of each event. */
  readonly onEvent?: OnAlertEvent | undefined
}

/** Looks at everything that a model's rules watch, for every tenant that it served. Resolves with what moved. */
export async function evaluateAlerts(engines: EvaluationEngines, model: Model, now: Date): Promise<AlertEvent[]> {
  if (model.alerts === false) return []
  const version = championOf(engines, model)
  const events: AlertEvent[] = []
  for (const tenant of await tenantsOf(engines.database, model, now)) {
    const findings = await look(engines.database, model, version, tenant, now)
    const subject = {
      tenant,
      model: model.name,
      owner: model.alerts?.owner ?? null,
      versionId: version?.id ?? null,
    }
    for (const finding of findings) {
      const event = await settleAlert(engines.database, subject, finding, engines.onEvent)
      if (event) events.push(event)
    }
  }
  return events
}

function championOf({ serving, log }: EvaluationEngines, model: Model): ModelVersion | null {
  try {
    return serving.championAt(model, new Date()).version
  } catch (error) {
    log.debug({ event: 'no version to watch', model: model.name, reason: messageOf(error) })
    return null
  }
}

async function tenantsOf(database: Database, model: Model, now: Date): Promise<string[]> {
  const { rows } = await database.query<{ tenant: string }>(
    `SELECT DISTINCT tenant FROM inkling."PredictionSketch" WHERE model = $1 AND day >= $2::date
     UNION SELECT tenant FROM inkling."OutcomeCount" WHERE model = $1 ORDER BY 1`,
    [model.name, dayOf(new Date(now.getTime() - HORIZON_DAYS * DAY_MS))],
  )
  return rows.map(({ tenant }) => tenant)
}

async function look(
  database: Database,
  model: Model,
  version: ModelVersion | null,
  tenant: string,
  now: Date,
): Promise<Finding[]> {
  const alerts = model.alerts || {}
  const range = {
    tenant,
    model: model.name,
    from: dayOf(new Date(now.getTime() - HORIZON_DAYS * DAY_MS)),
    to: dayOf(new Date(now.getTime() + DAY_MS)),
  }
  const all = await readSketches(database, range, false)
  const own = version ? all.filter(({ versionId }) => versionId === version.id) : []
  const findings: Finding[] = version ? [judgePerformance(model, version, own)] : []
  const asked = newestDays(all, questionsOf, { ...alerts, minimumRows: 1 })
  const span = spanOf(asked)
  const sum = (name: 'abstained' | 'failed') => asked.reduce((total, sketch) => total + sketch[name], 0)
  const questions = asked.reduce((total, sketch) => total + questionsOf(sketch), 0)
  if (alerts.abstention !== false) {
    const counts = { part: sum('abstained'), asked: questions }
    findings.push(judgeShare(model, 'ABSTENTION', counts, alerts.abstention?.max ?? DEFAULT_ABSTENTION, span))
  }
  if (alerts.errors !== false) {
    const counts = { part: sum('failed'), asked: questions }
    findings.push(judgeShare(model, 'ERRORS', counts, alerts.errors?.max ?? DEFAULT_ERRORS, span))
  }
  const served = newestDays(own, ({ answered }) => answered, { ...alerts, minimumRows: 1 })
  const served0 = served[0]
  if (version && alerts.drift !== false && served0) {
    const days = { tenant, model, version, from: new Date(served0.day), to: new Date(served.at(-1)!.day) }
    const drifts = await readDrift(database, days)
    const predictions = await readPredictionDrift(database, days)
    const every = predictions ? [...drifts, predictions] : drifts
    findings.push(judgeDrift(model, every, largePsiOf(model), spanOf(served)))
  }
  findings.push(await judgeFeedback(database, model, tenant))
  return findings
}

const questionsOf = ({ answered, abstained, failed }: Sketch) => answered + abstained + failed

/** Somebody records more outcomes than may count: what they say is kept apart, and somebody should look. */
async function judgeFeedback(database: Database, model: Model, tenant: string): Promise<Finding> {
  const { rows } = await database.query<{ viewerId: string; n: number }>(
    `SELECT "viewerId", count(*)::int AS n FROM inkling."Outcome"
     WHERE tenant = $1 AND model = $2 AND weight = 0 AND "recordedAt" > now() - interval '1 day'
     GROUP BY "viewerId" ORDER BY n DESC LIMIT 5`,
    [tenant, model.name],
  )
  const base = { rule: 'FEEDBACK' as const, from: null, to: null, rows: rows.reduce((sum, { n }) => sum + n, 0) }
  if (rows.length === 0) return { ...base, state: 'CLEARED', breaches: [], message: 'Nobody records too much.' }
  return {
    ...base,
    state: 'RAISED',
    breaches: rows.map(({ viewerId, n }) => ({ name: viewerId, value: n, bound: 0 })),
    message: `${model.name}: outcomes of ${rows.map(({ viewerId }) => viewerId).join(', ')} beyond the viewer's share do not count.`,
  }
}
