import { type MeterProvider, metrics } from '@opentelemetry/api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBatching } from '../../ml/batching.ts'
import { createMeter } from '../../ml/meter.ts'
import { isPrediction, type Outcome } from '../../ml/prediction.ts'
import { openToyStand, type ToyStand, toy } from './toy-stand.ts'

const probabilityOf = (outcome: Outcome) => (isPrediction(outcome) ? outcome.probability : outcome.code)

describe('requests that come at the same time', () => {
  let stand: ToyStand
  beforeAll(async () => {
    stand = await openToyStand(2)
  })
  afterAll(() => stand.close())

  /** 64 requests of ten predictions each, with keys that overlap. */
  const idsOf = (request: number) => Array.from({ length: 10 }, (_, index) => 1 + ((request * 3 + index) % 150))
  const ask = (across: boolean) => {
    const batching = createBatching(stand.client, { across })
    const meters = Array.from({ length: 64 }, () => createMeter())
    const answers = Promise.all(
      meters.map((meter, request) => {
        const loader = stand.loader({ batching, meter })
        return Promise.all(idsOf(request).map((id) => loader.load(toy(id))))
      }),
    )
    return { answers, meters }
  }

  it('share reads and inferences, and get the very bits that they would get alone', async () => {
    stand.client.statements = 0
    const alone = await ask(false).answers
    expect(stand.client.statements).toBe(64)
    stand.client.statements = 0
    const { answers, meters } = ask(true)
    const together = await answers
    expect(stand.client.statements).toBeLessThan(16)
    expect(together.map((some) => some.map(probabilityOf))).toEqual(alone.map((some) => some.map(probabilityOf)))
    for (const meter of meters) expect(meter.report()?.toy).toMatchObject({ rows: 10, reads: 1, batches: 1 })
  })

  it('are in the histogram of batch sizes, also when its SDK is registered late', async () => {
    const recorded: { rows: number; step: unknown; shared: unknown }[] = []
    const createHistogram = (name: string) => ({
      record: (rows: number, attributes: Record<string, unknown>) => {
        if (name === 'inkling.batch.rows')
          recorded.push({ rows, step: attributes['inkling.step'], shared: attributes['inkling.shared'] })
      },
    })
    metrics.setGlobalMeterProvider({ getMeter: () => ({ createHistogram }) } as unknown as MeterProvider)
    try {
      await ask(true).answers
    } finally {
      metrics.disable()
    }
    for (const step of ['read', 'score']) {
      const sizes = recorded.filter((batch) => batch.step === step)
      expect(sizes.some(({ rows, shared }) => rows > 10 && shared === true)).toBe(true)
      expect(sizes.length).toBeLessThan(64)
    }
  })

  it('answer for their own keys only', async () => {
    const batching = createBatching(stand.client)
    const outcomes = await Promise.all([1, 2, 3, 4, 5].map((id) => stand.loader({ batching }).load(toy(id))))
    expect(outcomes.map((outcome) => isPrediction(outcome) && outcome.key.id)).toEqual([1, 2, 3, 4, 5])
  })

  it('never fail for another one’s bad key', async () => {
    const batching = createBatching(stand.client)
    const outcomes = await Promise.all([1, 'no number', 3, 4].map((id) => stand.loader({ batching }).load(toy(id))))
    expect(outcomes.map((outcome) => (isPrediction(outcome) ? 'answered' : outcome.code))).toEqual([
      'answered',
      'FEATURE_READ_FAILED',
      'answered',
      'answered',
    ])
  })

  it('keep to their own versions', async () => {
    const [, second] = stand.ids
    await stand.point('shadow', second!)
    await stand.serving.refresh()
    const batching = createBatching(stand.client)
    stand.client.statements = 0
    const both = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((id) => {
        const loader = stand.loader({ batching })
        return Promise.all(['champion', 'SHADOW', '2'].map((selector) => loader.loadVersion(toy(id), selector)))
      }),
    )
    // Six requests, three versions each: the first reads alone, the others together.
    expect(stand.client.statements).toBeLessThanOrEqual(3)
    for (const outcomes of both) {
      const numbers = outcomes.map((outcome) => isPrediction(outcome) && outcome.version.version.number)
      expect(numbers).toEqual([1, 2, 2])
      expect(probabilityOf(outcomes[1]!)).toBe(probabilityOf(outcomes[2]!))
      expect(probabilityOf(outcomes[0]!)).not.toBe(probabilityOf(outcomes[1]!))
    }
  })

  it('say that a version does not exist, and of another model’s nothing', async () => {
    const loader = stand.loader()
    const outcomes = await Promise.all(['99', 'challenger', '7x'].map((name) => loader.loadVersion(toy(1), name)))
    expect(outcomes.map(probabilityOf)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'])
  })
})
