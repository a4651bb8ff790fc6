import { type Histogram, type MeterProvider, metrics } from '@opentelemetry/api'

/** What the predictions of one model cost one request. */
export interface ModelCost {
  /** Entities read and, where the question was about them, scored. */
  rows: number
  /** Entities that a fresh stored score answered about instead. */
  stored: number
  /** Feature reads and inferences that it took part in; other requests may have shared them. */
  reads: number
  batches: number
  /** From asking to having, waits included. */
  readMs: number
  scoreMs: number
  explainMs: number
}

/** Adds up what predictions cost one request. */
export interface Meter {
  add(model: string, cost: Partial<ModelCost>): void
  /** Model -> cost; null when nothing was predicted. */
  report(): Readonly<Record<string, ModelCost>> | null
}

export function createMeter(): Meter {
  const costs = new Map<string, ModelCost>()
  return {
    add(model, cost) {
      const sum = costs.get(model) ?? { rows: 0, stored: 0, reads: 0, batches: 0, readMs: 0, scoreMs: 0, explainMs: 0 }
      for (const [name, amount] of Object.entries(cost)) sum[name as keyof ModelCost] += amount
      costs.set(model, sum)
    },
    report() {
      if (costs.size === 0) return null
      return Object.fromEntries([...costs].map(([model, cost]) => [model, rounded(cost)]))
    },
  }
}

function rounded(cost: ModelCost): ModelCost {
  const microseconds = (ms: number) => Math.round(ms * 1000) / 1000
  return {
    ...cost,
    readMs: microseconds(cost.readMs),
    scoreMs: microseconds(cost.scoreMs),
    explainMs: microseconds(cost.explainMs),
  }
}

let provider: MeterProvider | null = null
let histogram: Histogram | null = null

/** Records the size of one feature read or one inference, whoever it served. */
export function recordBatch(step: 'read' | 'score', model: string, rows: number, requests: number): void {
  // Unlike tracers, meters made before an SDK is registered stay deaf for ever.
  const current = metrics.getMeterProvider()
  if (!histogram || current !== provider) {
    provider = current
    histogram = current.getMeter('inkling').createHistogram('inkling.batch.rows', {
      description: 'Rows of one feature read or one inference.',
      unit: '{row}',
    })
  }
  histogram.record(rows, { 'inkling.step': step, 'inkling.model': model, 'inkling.shared': requests > 1 })
}
