import { type Span, trace } from '@opentelemetry/api'
import { afterAll, expect, it } from 'vitest'
import { withSpan } from '../../platform/telemetry.ts'

const seen: { name: string; attributes: unknown; errors: unknown[]; ended: boolean }[] = []

trace.setGlobalTracerProvider({
  getTracer: () =>
    ({
      startActiveSpan(name: string, options: { attributes: unknown }, work: (span: Span) => unknown) {
        const record = { name, attributes: options.attributes, errors: [] as unknown[], ended: false }
        seen.push(record)
        return work({
          recordException: (error: unknown) => record.errors.push(error),
          setStatus: () => {},
          end: () => {
            record.ended = true
          },
        } as never)
      },
    }) as never,
})
afterAll(() => trace.disable())

it('wraps work in a span that ends, with its error when it fails', async () => {
  expect(await withSpan('inkling.read', { 'inkling.rows': 2 }, async () => 'done')).toBe('done')
  await expect(withSpan('inkling.score', {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(seen).toMatchObject([
    { name: 'inkling.read', attributes: { 'inkling.rows': 2 }, errors: [], ended: true },
    { name: 'inkling.score', errors: [{ name: 'Error' }], ended: true },
  ])
})
