import { describe, expect, it } from 'vitest'
import { experimentPlan, judgeExperiment } from '../../ml/rollout/experiments.ts'
import { type Arm, sequentialInterval } from '../../ml/rollout/sequential.ts'
import { bucketOf, sidesOf } from '../../ml/rollout/split.ts'
import type { ServedVersion } from '../../ml/served-version.ts'
import { createRandom, type Random } from '../../trainer/random.ts'

/** Mean and variance as rows arrive (Welford). */
function createArm() {
  let keys = 0
  let mean = 0
  let squares = 0
  return {
    add(loss: number) {
      keys++
      const delta = loss - mean
      mean += delta / keys
      squares += delta * (loss - mean)
    },
    now: (): Arm => ({ keys, mean, variance: keys > 1 ? squares / (keys - 1) : 0 }),
  }
}

/** Looks after every ten outcomes and stops at the first that convinces; which way it ended and when. */
function run(random: Random, rows: number, bend: number) {
  const arms = [createArm(), createArm()]
  for (let row = 1; row <= rows; row++) {
    const side = random.next() < 0.5 ? 0 : 1
    const truth = random.next()
    const label = random.next() < truth ? 1 : 0
    const p = Math.min(0.99, Math.max(0.01, side === 1 ? truth + bend * (0.5 - truth) : truth))
    arms[side]!.add(-Math.log(label > 0 ? p : 1 - p))
    const [one, two] = arms.map((arm) => arm.now())
    if (row % 10 > 0 || Math.min(one!.keys, two!.keys) < 100) continue
    const { low, high } = sequentialInterval(one!, two!, 'logLoss', 0.05)
    if (low > 0 || high < 0) return { ended: low > 0 ? 'worse' : 'better', row }
  }
  return { ended: 'open', row: rows }
}

describe('the sequential test of an experiment', () => {
  it('errs in less than the promised share of experiments without a difference, though it looks 480 times', () => {
    const random = createRandom(11)
    const ended = Array.from({ length: 300 }, () => run(random, 5000, 0).ended)
    expect(ended.filter((how) => how !== 'open').length / 300).toBeLessThanOrEqual(0.05)
  })

  it('stops a worse challenger, the sooner the worse it is', () => {
    const random = createRandom(12)
    const rows = (bend: number) => {
      const runs = Array.from({ length: 20 }, () => run(random, 20_000, bend))
      expect(runs.filter(({ ended }) => ended === 'better')).toEqual([])
      expect(runs.filter(({ ended }) => ended === 'worse').length).toBeGreaterThanOrEqual(19)
      return runs.reduce((sum, { row }) => sum + row, 0) / runs.length
    }
    expect(rows(2)).toBeLessThan(rows(0.9))
  })

  it('waits for keys enough, ends at its latest moment, and says with figures what it found', () => {
    const arm = (keys: number, mean: number): Arm => ({ keys, mean, variance: 0.1 })
    const now = new Date('2026-06-01')
    const plan = experimentPlan.parse({})
    expect(judgeExperiment({ plan }, { baseline: arm(5000, 0.3), challenger: arm(99, 0.9) }, now)).toMatchObject({
      verdict: { interval: null },
      end: null,
    })
    const worse = judgeExperiment({ plan }, { baseline: arm(5000, 0.3), challenger: arm(5000, 0.4) }, now)
    expect(worse.end).toMatchObject({
      outcome: 'CHALLENGER_WORSE',
      reason: expect.stringMatching(/logLoss differs by 0.1000 \(95 %/),
    })
    expect(judgeExperiment({ plan }, { baseline: arm(5000, 0.4), challenger: arm(5000, 0.3) }, now).end?.outcome).toBe(
      'CHALLENGER_BETTER',
    )
    const late = experimentPlan.parse({ endsAt: '2026-05-01T00:00:00Z' })
    expect(
      judgeExperiment({ plan: late }, { baseline: arm(5000, 0.3), challenger: arm(5, 0.4) }, now).end,
    ).toMatchObject({
      outcome: 'INCONCLUSIVE',
      reason: "only 5 of the challenger's keys are labelled",
    })
  })
})

describe('the sides of an experiment', () => {
  const keys = Array.from({ length: 20_000 }, (_, id) => ({ id }))

  it('spread keys evenly over 10,000 buckets, another way for every salt, and alike for 7 and "7"', () => {
    const share = (salt: string) => keys.filter((key) => bucketOf(salt, key) < 1000).length / keys.length
    for (const salt of ['one', 'two', 'three']) expect(Math.abs(share(salt) - 0.1)).toBeLessThan(0.01)
    const both = keys.filter((key) => bucketOf('one', key) < 5000 && bucketOf('two', key) < 5000).length / keys.length
    expect(Math.abs(both - 0.25)).toBeLessThan(0.015)
    expect(bucketOf('one', { id: '7' })).toBe(bucketOf('one', { id: 7 }))
    expect(bucketOf('one', { a: 1, b: 2 })).toBe(bucketOf('one', { b: 2, a: 1 }))
  })

  it("keep whoever was the challenger's while the share grows, and follow the steps by the instant of a request", () => {
    const champion = { name: 'champion' } as unknown as ServedVersion
    const challenger = { name: 'challenger' } as unknown as ServedVersion
    const at = (day: number) => new Date(Date.UTC(2026, 5, day))
    const steps = [
      { at: at(1), buckets: 100 },
      { at: at(2), buckets: 5000 },
      { at: at(4), buckets: 0 },
    ]
    const reign = { since: 0, champion, split: { experimentId: 'x', salt: 's', steps, challenger } }
    const onSide = (day: number) => new Set(keys.filter((key) => sidesOf(reign, at(day))(key) === challenger))
    expect(onSide(0).size).toBe(0)
    const [few, many] = [onSide(1), onSide(3)]
    expect(few.size).toBeGreaterThan(100)
    expect([...few].every((key) => many.has(key))).toBe(true)
    expect(Math.abs(many.size / keys.length - 0.5)).toBeLessThan(0.02)
    expect(onSide(5).size).toBe(0)
  })
})
