import { randomUUID } from 'node:crypto'
import { graphql } from 'graphql'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { type AlertHub, createAlertHub } from '../../ml/alerts/hub.ts'
import { type Webhook, webhookJob } from '../../ml/alerts/webhook.ts'
import type { Model } from '../../ml/define.ts'
import { MONITOR_JOB, monitorJob, tell } from '../../ml/monitoring/monitor-job.ts'
import { createPredictionLog, type PredictionLog } from '../../ml/monitoring/prediction-log.ts'
import type { People } from '../../ml/people/forgetting.ts'
import { trainingJob } from '../../ml/training-job.ts'
import type { Viewer } from '../../platform/viewer.ts'
import { createMlSubgraph } from '../../subgraphs/ml/subgraph.ts'
import { silent } from '../harness.ts'
import { quickPulse } from '../jobs/kinds.ts'
import { openToyStand, type ToyStand } from '../predictions/toy-stand.ts'

export const now = new Date('2026-06-01T12:00:00Z')
export const admin: Viewer = { id: 'ada', tenant: 'default', scopes: ['admin', 'bulk'] }
/** May record outcomes, and is not trusted with training. */
export const pupil: Viewer = { id: 'paul', tenant: 'default', scopes: ['predictions:write'] }
export const stranger: Viewer = { id: 'sam', tenant: 'elsewhere', scopes: ['admin'] }

export interface MonitoringStand extends ToyStand {
  readonly predictionLog: PredictionLog
  readonly alertHub: AlertHub
  readonly jobs: Jobs
  /** Throws on any error. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the query selects
  ask(source: string, variables?: object, as?: Viewer, at?: Date): Promise<any>
  context(as?: Viewer, at?: Date): object
  readonly schema: Parameters<typeof graphql>[0]['schema']
  /** Predicts these toys, as any page that shows them does. */
  serve(ids: readonly number[], at?: Date, as?: Viewer): Promise<Map<number, number>>
  /** Runs the monitor's job to its end. */
  monitor(): Promise<Record<string, { labelled: number; events: string[]; retrainings: string[] }>>
}

/** A trained toy that is served, remembered and watched. */
export async function openMonitoringStand(
  change: Partial<Model> = {},
  options: {
    webhook?: Webhook | null
    people?: readonly People[]
    caps?: { perHour: number; weighedPerDay: number }
  } = {},
): Promise<MonitoringStand> {
  const stand = await openToyStand(1, change)
  const { database, registry, serving, client, model } = stand
  const models = [model]
  const predictionLog = createPredictionLog({ database, log: silent, flushMs: 20 })
  const alertHub = createAlertHub(database, silent)
  const { webhook = null } = options
  const engines = { database, registry, serving, clock: { now: () => now }, client, models, log: silent }
  const watching = { tells: webhook !== null, keepDays: 90, seed: 7, jobs: () => jobs }
  const jobs: Jobs = await createJobs({
    database,
    log: silent,
    worker: true,
    pulse: quickPulse,
    kinds: [
      monitorJob({ ...engines, ...watching }),
      { ...webhookJob({ database, webhook }), retry: { attempts: 4, delayMs: 10, maxDelayMs: 20 } },
      trainingJob(engines as never),
    ],
  })
  await jobs.start()
  const subgraph = createMlSubgraph({
    ...engines,
    jobs,
    seed: 1,
    predictionLog,
    alertHub,
    outcomeCaps: options.caps,
    people: options.people,
    onAlertEvent: (viewer) => tell(watching, viewer),
  } as Parameters<typeof createMlSubgraph>[0])
  const context = (viewer: Viewer = admin, at: Date = now) =>
    subgraph.contextOf({ requestId: randomUUID(), viewer, now: at, instant: new Date(), log: silent })
  const ask: MonitoringStand['ask'] = async (source, variables = {}, as = admin, at = now) => {
    const { data, errors } = await graphql({
      schema: subgraph.schema,
      source,
      variableValues: variables as Record<string, unknown>,
      contextValue: context(as, at),
    })
    if (errors) throw errors[0]
    return data
  }
  return {
    ...stand,
    predictionLog,
    alertHub,
    jobs,
    ask,
    context,
    schema: subgraph.schema,
    async serve(ids, at = now, as = admin) {
      const representations = ids.map((id) => ({ __typename: 'Toy', id: String(id) }))
      const { _entities } = await ask(
        'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Toy { id toyProbability toy { probability } } } }',
        { representations },
        as,
        at,
      )
      await predictionLog.flush()
      return new Map(
        _entities.map((toy: { id: string; toyProbability: number }) => [Number(toy.id), toy.toyProbability]),
      )
    },
    async monitor() {
      const job = await jobs.enqueue(MONITOR_JOB, {}, { viewer: { id: 'tests', tenant: 'default', scopes: [] } })
      const { result, error } = await jobs.ended(job.id)
      if (error) throw new Error(JSON.stringify(error))
      return result as never
    },
    async close() {
      await jobs.stop({ graceMs: 0 })
      await alertHub.close()
      await predictionLog.stop()
      await stand.close()
    },
  }
}

export const RECORD = `mutation ($input: RecordOutcomeInput!) { recordOutcome(input: $input) {
  __typename ... on RecordOutcomePayload { isRepeated predictions outcome { label source isCounted revisions { revision label recordedBy } } }
  ... on Error { code message } } }`

export const outcomeOf = (id: number, label: boolean, at?: Date) => ({
  input: { model: 'toy', key: [{ field: 'id', value: String(id) }], label, ...(at ? { at: at.toISOString() } : {}) },
})

export const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index)
