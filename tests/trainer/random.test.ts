import { expect, it } from 'vitest'
import { createRandom } from '../../trainer/random.ts'

it('gives the same numbers for a seed for ever: folds, samples and receipts rest on them', () => {
  const random = createRandom(7)
  expect([random.below(1000), random.below(1000), random.below(1000), random.below(1000)]).toMatchInlineSnapshot(`
    [
      49,
      165,
      929,
      952,
    ]
  `)
  expect(createRandom(7).fork(1).next()).toBe(createRandom(7).fork(1).next())
  expect(createRandom(7).fork(1).next()).not.toBe(createRandom(7).fork(2).next())
  expect(createRandom(8).next()).not.toBe(createRandom(7).next())
})

it.each([0, 1, -5, 2 ** 31])('is even over 20 cells and in pairs, from seed %i', (seed) => {
  const random = createRandom(seed)
  const cells = new Float64Array(400)
  const n = 80_000
  for (let draw = 0; draw < n; draw++) cells[20 * random.below(20) + random.below(20)]!++
  const chiSquared = cells.reduce((sum, count) => sum + (count - n / 400) ** 2 / (n / 400), 0)
  // 399 degrees of freedom: mean 399, deviation 28
  expect(chiSquared).toBeGreaterThan(399 - 5 * 28)
  expect(chiSquared).toBeLessThan(399 + 5 * 28)
})

it('draws normal numbers and shuffles every order equally often', () => {
  const random = createRandom(3)
  const drawn = Array.from({ length: 20_000 }, () => random.normal())
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length
  expect(Math.abs(mean)).toBeLessThan(0.03)
  expect(Math.abs(variance - 1)).toBeLessThan(0.05)
  const orders = new Map<string, number>()
  for (let draw = 0; draw < 6000; draw++) {
    const items = [1, 2, 3]
    random.shuffle(items)
    orders.set(items.join(), (orders.get(items.join()) ?? 0) + 1)
  }
  expect(orders.size).toBe(6)
  for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
})
