import { describe, expect, it } from 'vitest'
import { bindKit, type LabelRow, type Model, type SqlClient } from '../../ml/define.ts'
import { type GymTypes, gym } from './gym.ts'

const defineModel = bindKit<GymTypes>(gym)
const NOW = new Date('2024-06-01T00:00:00Z')
const nobody: SqlClient = { $queryRawUnsafe: () => Promise.reject(new Error('no database here')) }
const key = { clubId: 1, number: '7' }
const pair = { key, asOf: NOW }

/** A model whose reads and labels are plain values: what is under test is what the engine makes of them. */
function model({ rows, labels }: { rows?: unknown; labels?: unknown }): Model {
  return defineModel({
    name: 'own',
    entity: 'Membership',
    question: 'Does own SQL keep its promise?',
    features: { visits: { kind: 'number' }, kind: { kind: 'category' } },
    shape: 'SELECT',
    read: async () => rows as never,
    labels: (labels ?? (async () => [])) as never,
    bands: { LOW: 0, MEDIUM: 0.2, HIGH: 0.5 },
  })
}
const labelRow = (index: number): LabelRow => ({
  key: { clubId: 1, number: String(index) },
  asOf: NOW,
  label: index % 2,
})

async function pagesOf(labels: unknown, pageSize: number) {
  const pages: LabelRow[][] = []
  for await (const page of model({ labels }).labels(nobody, { now: NOW, pageSize })) pages.push([...page])
  return pages
}

describe('own SQL', () => {
  it('answers numbers of every kind, texts and what is missing', async () => {
    const decimal = { toFixed: () => '2.50', valueOf: () => 2.5 }
    const values = [3, 3n, true, decimal, null, Number.POSITIVE_INFINITY]
    const rows = values.map((visits) => ({ eligible: true, visits, kind: 'SWIM' }))
    const read = await model({ rows }).read(
      nobody,
      values.map(() => ({ ...pair })),
    )
    expect(read.map((row) => row.values)).toEqual([3, 3, 1, 2.5, null, null].map((value) => [value, 'SWIM']))
  })

  it.each([
    ['too few rows', [], /read answered 0 rows for 1 pairs/],
    ['a feature that is not there', [{ eligible: true, visits: 1 }], /feature "kind": read did not answer it/],
    [
      'a text for a number',
      [{ eligible: true, visits: '1', kind: 'a' }],
      /feature "visits" is no number: it is a string/,
    ],
    ['a date for a category', [{ eligible: true, visits: 1, kind: NOW }], /feature "kind" is no category/],
  ])('is refused for %s', async (_, rows, message) => {
    await expect(model({ rows }).read(nobody, [pair])).rejects.toMatchObject({
      code: 'FEATURE_READ_FAILED',
      message: expect.stringMatching(message),
    })
  })

  it('never sees a key that nothing can have, nor an empty list of pairs', async () => {
    let asked: unknown[] = []
    const watching = defineModel({
      name: 'watching',
      entity: 'Membership',
      question: 'Who asks?',
      features: { visits: { kind: 'number' } },
      shape: '',
      read: async (_, pairs) => {
        asked = [...pairs]
        return pairs.map(() => ({ eligible: true, visits: 1 }))
      },
      labels: async () => [],
      bands: { LOW: 0, MEDIUM: 0.2, HIGH: 0.5 },
    })
    const odd = { key: { clubId: "1'; --", number: '7' }, asOf: NOW }
    const huge = { key: { clubId: 1, number: '99999999999999999999' }, asOf: NOW }
    const rows = await watching.read(nobody, [odd, pair, huge])
    expect(rows.map(({ eligible }) => eligible)).toEqual([false, true, false])
    expect(asked).toEqual([pair])
    expect(await watching.read(nobody, [])).toEqual([])
    await expect(watching.read(nobody, [{ key: { clubId: 1 }, asOf: NOW }])).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    })
  })

  it('pages by the last row, and by a generator', async () => {
    const all = Array.from({ length: 10 }, (_, index) => labelRow(index))
    const byRow = async (_: unknown, { after, limit }: { after: LabelRow | null; limit: number }) => {
      const start = after ? all.indexOf(after) + 1 : 0
      return all.slice(start, start + limit)
    }
    expect(await pagesOf(byRow, 4)).toEqual([all.slice(0, 4), all.slice(4, 8), all.slice(8)])
    async function* generator() {
      yield all.slice(0, 7)
      yield []
      yield all.slice(7)
    }
    expect(await pagesOf(generator, 4)).toEqual([all.slice(0, 4), all.slice(4, 7), all.slice(7)])
  })

  it('closes a generator that is left early', async () => {
    let closed = false
    async function* generator() {
      try {
        for (let index = 0; ; index++) yield [labelRow(index)]
      } finally {
        closed = true
      }
    }
    for await (const page of model({ labels: generator }).labels(nobody, { now: NOW, pageSize: 1 }))
      if (page.length) break
    expect(closed).toBe(true)
  })

  it.each([
    ['a label from the future', { ...labelRow(1), asOf: new Date(NOW.getTime() + 1) }, /looks from/],
    ['a label that is no answer', { ...labelRow(1), label: 0.5 }, /a label is 0.5/],
    ['a label about nobody', { ...labelRow(1), key: { clubId: 1 } }, /no "number" in its key/],
  ])('is refused for %s', async (_, row, message) => {
    await expect(pagesOf(async () => [row], 5)).rejects.toMatchObject({ message: expect.stringMatching(message) })
  })

  it('names the model and keeps the cause when the database fails, for reads and both forms of labels', async () => {
    const fault = (act: string) => ({
      code: 'FEATURE_READ_FAILED',
      message: `Model "own": its ${act} failed`,
      retryable: true,
    })
    const cause = new Error('connection lost')
    async function* broken(): AsyncGenerator<LabelRow[]> {
      yield [labelRow(0)]
      throw cause
    }
    await expect(pagesOf(broken, 5)).rejects.toMatchObject({ ...fault('labels'), cause })
    await expect(pagesOf(() => Promise.reject(cause), 5)).rejects.toMatchObject({ ...fault('labels'), cause })
  })

  it('stops at a signal', async () => {
    const stop = new AbortController()
    const labels = async () => [labelRow(0), labelRow(1)]
    const pages = model({ labels }).labels(nobody, { now: NOW, pageSize: 2, signal: stop.signal })
    const iterator = pages[Symbol.asyncIterator]()
    expect((await iterator.next()).done).toBe(false)
    stop.abort()
    await expect(iterator.next()).rejects.toMatchObject({ name: 'AbortError' })
  })
})
