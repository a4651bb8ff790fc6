import { trace } from '@opentelemetry/api'
import { afterAll, expect, it } from 'vitest'
import { withSpan } from '../../platform/telemetry.ts'
import { recordSpans } from './recorded-spans.ts'

const seen = recordSpans()
afterAll(() => trace.disable())

it('wraps work in a span that ends, with its error when it fails', async () => {
  expect(await withSpan('inkling.read', { 'inkling.rows': 2 }, async () => 'done')).toBe('done')
  await expect(withSpan('inkling.score', {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(seen).toMatchObject([
    { name: 'inkling.read', attributes: { 'inkling.rows': 2 }, errors: [], ended: true },
    { name: 'inkling.score', errors: [{ name: 'Error' }], ended: true },
  ])
})
