import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBatching } from '../../ml/batching.ts'
import { CHAMPION } from '../../ml/model-version.ts'
import { isPrediction, type Prediction } from '../../ml/prediction.ts'
import { openToyStand, type ToyStand, toy } from './toy-stand.ts'

describe('promotions that come faster than requests end', () => {
  let stand: ToyStand
  beforeAll(async () => {
    stand = await openToyStand(6)
  })
  afterAll(() => stand.close())

  it('neither fail a request nor mix versions within it, though its version was put to rest long ago', async () => {
    const batching = createBatching(stand.client)
    const rows = Array.from({ length: 300 }, (_, index) => index + 1) // above the inline limit: the thread has sessions too
    let isOver = false
    const failures: unknown[] = []
    const requests: Promise<number[]>[] = []
    const request = async () => {
      const loader = stand.loader({ batching })
      const seen = new Set<number>()
      for (let turn = 0; turn < 6; turn++) {
        const ids = turn % 2 === 0 ? rows : [turn * 17 + 1]
        for (const outcome of await Promise.all(ids.map((id) => loader.load(toy(id + turn * 1000))))) {
          if (isPrediction(outcome)) seen.add(outcome.version.version.number)
          else if (outcome.code !== 'NOT_APPLICABLE') failures.push(outcome)
        }
        const [again] = await Promise.all([loader.load(toy(1))])
        const reasons = await loader.reasons(again as Prediction)
        if (reasons.length !== 2) failures.push('no reasons')
      }
      return [...seen]
    }
    const storm = (async () => {
      for (let move = 0; move < 25; move++) {
        await stand.point(CHAMPION, stand.ids[move % stand.ids.length]!)
        await stand.serving.refresh()
      }
      isOver = true
    })()
    while (!isOver) {
      if (requests.length < 80) requests.push(request())
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await storm
    const versions = await Promise.all(requests)
    expect(failures).toEqual([])
    for (const seen of versions) expect(seen).toHaveLength(1)
    expect(new Set(versions.flat()).size).toBeGreaterThan(3)
  })

  it('leave a version usable that rests: it loads again for as long as it is needed', async () => {
    const loader = stand.loader()
    const before = (await loader.load(toy(1))) as Prediction
    for (const id of [...stand.ids, ...stand.ids]) {
      await stand.point(CHAMPION, id)
      await stand.serving.refresh()
    }
    const score = (n: number) =>
      before.version.predictor.score(
        Float32Array.from({ length: n * before.row.length }, (_, at) => before.row[at % before.row.length]!),
        n,
      )
    for (const n of [1, 300, 1]) for (const probability of await score(n)) expect(probability).toBe(before.probability)
    const again = (await loader.load(toy(2))) as Prediction
    expect(again.version).toBe(before.version)
  })

  it('answer a request of an earlier instant with the version of that instant', async () => {
    const instant = new Date()
    const first = (await stand.loader({ instant }).load(toy(3))) as Prediction
    await new Promise((resolve) => setTimeout(resolve, 3))
    for (const id of stand.ids) {
      await stand.point(CHAMPION, id)
      await stand.serving.refresh()
    }
    const later = (await stand.loader({ instant }).load(toy(3))) as Prediction
    expect(later.version.version.id).toBe(first.version.version.id)
    expect(later.probability).toBe(first.probability)
  })
})
