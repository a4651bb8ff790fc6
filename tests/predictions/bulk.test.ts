import { describe, expect, it } from 'vitest'
import { createBulk } from '../../ml/bulk.ts'

/** Doubles numbers, and remembers what each call was given. */
function doubling(most = 100) {
  const calls: number[][] = []
  const bulk = createBulk<number, number>(async (keys) => {
    calls.push([...keys])
    if (keys.includes(-1)) throw new Error('no negative numbers')
    return keys.map((key) => 2 * key)
  }, most)
  return { calls, ...bulk }
}

describe('values that are found many at a time', () => {
  it('are found once for everything that is asked in a turn, alone or together', async () => {
    const { calls, one, many } = doubling()
    const later = Promise.resolve().then(() => one(4))
    expect(await Promise.all([one(1), many([3, 1, 2]), one(3), later])).toEqual([2, [6, 2, 4], 6, 8])
    expect(calls).toEqual([[1, 3, 2, 4]])
  })

  it('come without a promise once they are known', async () => {
    const { calls, one, many } = doubling()
    expect(one(1)).toBeInstanceOf(Promise)
    await many([1, 2])
    expect([one(1), one(2)]).toEqual([2, 4])
    expect(await many([2, 3, 1])).toEqual([4, 6, 2])
    expect(calls).toEqual([[1, 2], [3]])
  })

  it('are found in calls of at most so many', async () => {
    const { calls, many } = doubling(2)
    expect(await many([1, 2, 3, 4, 5])).toEqual([2, 4, 6, 8, 10])
    expect(calls).toEqual([[1, 2], [3, 4], [5]])
  })

  it('fail for all who asked, and for who asks again', async () => {
    const { calls, one, many } = doubling()
    const failure = { message: 'no negative numbers' }
    const first = one(1)
    await expect(many([2, -1])).rejects.toMatchObject(failure)
    await expect(first).rejects.toMatchObject(failure)
    await expect(one(2)).rejects.toMatchObject(failure)
    await expect(many([3, 2])).rejects.toMatchObject(failure)
    expect(await one(3)).toBe(6)
    expect(calls).toEqual([[1, 2, -1], [3]])
  })
})
