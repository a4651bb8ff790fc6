import { z } from 'zod'
import type { Jobs } from '../../jobs/engine.ts'
import { type AnyJobKind, defineJob } from '../../jobs/kind.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Database } from '../../platform/database.ts'
import type { Log } from '../../platform/log.ts'
import type { Viewer } from '../../platform/viewer.ts'
import type { Registry } from '../../registry/registry.ts'
import { evaluateAlerts } from '../alerts/evaluation.ts'
import type { AlertEvent } from '../alerts/store.ts'
import { WEBHOOK_JOB } from '../alerts/webhook.ts'
import type { Model, SqlClient } from '../define.ts'
import { deriveOutcomes } from '../outcomes/deriving.ts'
import { keepSchedule, retrainDue } from '../retraining.ts'
import type { Serving } from '../serving.ts'
import { forgetOldObservations } from './upkeep.ts'

export const MONITOR_JOB = 'monitor'

export interface MonitorEngines {
  readonly database: Database
  readonly registry: Registry
  readonly serving: Serving
  readonly clock: Pick<Clock, 'now'>
  /** Reads labels: the customer's own client. */
  readonly client: SqlClient
  readonly models: readonly Model[]
  readonly log: Log
  /** Whether alerts are told to a webhook. */
  readonly tells: boolean
  /** Days that single predictions are kept. */
  readonly keepDays: number
  readonly seed: number
  /** The engine that this kind belongs to: it is made after its kinds. */
  jobs(): Jobs
}

const input = z.object({ model: z.string().optional() })

/** Looks at what serves: outcomes that are due, alerts, retraining, and what is old. Any part may be repeated. */
export function monitorJob(engines: MonitorEngines): AnyJobKind {
  return defineJob({
    name: MONITOR_JOB,
    input,
    retry: { attempts: 3 },
    concurrency: 1,
    async run(context, { model: only }) {
      const { models, database, clock, keepDays } = engines
      const viewer: Viewer = { id: context.job.viewerId, tenant: context.job.tenant, scopes: [] }
      const report: Record<string, { labelled: number; events: string[]; retrainings: string[] }> = {}
      for (const model of models) {
        if (only !== undefined && model.name !== only) continue
        context.signal.throwIfAborted()
        const labelled = await deriveOutcomes({ ...engines, model, now: clock.now(), signal: context.signal })
        const events = await evaluateAlerts({ ...engines, onEvent: tell(engines, viewer) }, model, clock.now())
        const retrainings = await retrainDue({ ...engines, jobs: engines.jobs(), viewer }, model, events)
        for (const { type, data } of events) context.log('warn', `alert ${type.toLowerCase()}: ${data.message}`)
        report[model.name] = { labelled, retrainings, events: events.map(({ type, data }) => `${type} ${data.rule}`) }
      }
      await forgetOldObservations(database, keepDays)
      return report
    },
  })
}

/** The webhook's job is written with the event: neither is there without the other. */
export function tell(
  { tells, jobs }: Pick<MonitorEngines, 'tells' | 'jobs'>,
  viewer: Viewer,
): ((event: AlertEvent) => Promise<void>) | undefined {
  if (!tells) return undefined
  return async ({ sequence }) => {
    const idempotencyKey = `alert event ${sequence}`
    await jobs().enqueue(WEBHOOK_JOB, { sequence: String(sequence) }, { viewer, idempotencyKey })
  }
}

/** Hourly, at a minute that no other schedule of a fresh installation has. May be repeated. */
export function keepMonitoring(jobs: Jobs, viewer: Viewer): Promise<void> {
  const schedule = { name: 'monitor models', kind: MONITOR_JOB, input: {} }
  return keepSchedule(jobs, viewer, schedule, { expression: '17 * * * *', timeZone: 'UTC' })
}
