import type { Ground } from '../cli/ground.ts'
import type { Jobs } from '../jobs/engine.ts'
import type { AnyJobKind } from '../jobs/kind.ts'
import { type AlertHub, createAlertHub } from '../ml/alerts/hub.ts'
import type { OnAlertEvent } from '../ml/alerts/store.ts'
import { type Webhook, webhookJob } from '../ml/alerts/webhook.ts'
import { keepMonitoring, monitorJob, tell } from '../ml/monitoring/monitor-job.ts'
import { createPredictionLog, type PredictionLog } from '../ml/monitoring/prediction-log.ts'
import type { OutcomeCaps } from '../ml/outcomes/recording.ts'
import type { People } from '../ml/people/forgetting.ts'
import { keepRetrainSchedules } from '../ml/retraining.ts'
import type { Serving } from '../ml/serving.ts'
import { models } from '../models/index.ts'
import { people } from '../models/people.ts'
import { InklingError } from '../platform/errors.ts'
import { localViewer, type Viewer } from '../platform/viewer.ts'
import type { Registry } from '../registry/registry.ts'
import type { Engines } from './engines.ts'

/** What watches the models that serve in this process. */
export interface Monitoring {
  readonly predictionLog: PredictionLog
  readonly alertHub: AlertHub
  readonly outcomeCaps: OutcomeCaps
  readonly people: readonly People[]
  onAlertEvent(viewer: Viewer): OnAlertEvent | undefined
  readonly kinds: readonly AnyJobKind[]
}

/** jobs: the engine that is made of these kinds, among others. Throws CONFIG_INVALID for a webhook without its secret. */
export function openMonitoring(
  ground: Ground,
  engines: { readonly registry: Registry; readonly serving: Serving; jobs(): Jobs },
  opened: AsyncDisposableStack,
): Monitoring {
  const { database, log, config, clock, learning } = ground
  const webhook = webhookOf(config)
  const predictionLog = createPredictionLog({ database, log })
  opened.defer(() => predictionLog.stop())
  const alertHub = createAlertHub(database, log)
  opened.defer(() => alertHub.close())
  const telling = { tells: webhook !== null, jobs: engines.jobs }
  const parts = {
    ...engines,
    ...telling,
    database,
    clock,
    models,
    log,
    client: learning,
    keepDays: config.INKLING_PREDICTION_DAYS,
    seed: config.INKLING_SEED,
  }
  return {
    predictionLog,
    alertHub,
    people,
    outcomeCaps: { perHour: config.INKLING_OUTCOMES_PER_HOUR, weighedPerDay: config.INKLING_OUTCOMES_WEIGHED },
    onAlertEvent: (viewer) => tell(telling, viewer),
    kinds: [monitorJob(parts), webhookJob({ database, webhook })],
  }
}

/** From now on looks at what serves every hour, and retrains as the model files say. */
export async function watchModels({ database, config }: Ground, engines: Engines): Promise<void> {
  await keepMonitoring(engines.jobs, localViewer)
  await keepRetrainSchedules({ ...engines, database, viewer: localViewer, seed: config.INKLING_SEED })
}

function webhookOf(config: Ground['config']): Webhook | null {
  const { INKLING_ALERT_WEBHOOK: url, INKLING_ALERT_SECRET: secret, INKLING_ALERT_PRIVATE: isPrivate } = config
  if (!url) return null
  if (secret) return { url, secret, isPrivate: isPrivate === 'on' }
  throw new InklingError(
    'CONFIG_INVALID',
    'INKLING_ALERT_WEBHOOK is set and INKLING_ALERT_SECRET is not: the receiver could not tell who posts.',
    'Set INKLING_ALERT_SECRET to a random text, and give it to the receiver.',
  )
}
