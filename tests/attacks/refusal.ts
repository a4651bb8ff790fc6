import { expect } from 'vitest'
import type { Answer, Stand } from '../gateway/stand.ts'

/** What every refusal has in common: the client's fault, small, few errors, and nothing said about the inside. */
export function expectRefusal(answer: Answer, code: string, status = 400): void {
  expect([answer.status, answer.json?.errors?.[0]?.extensions.code]).toEqual([status, code])
  expect(answer.text.length).toBeLessThan(2_048)
  expect(answer.json.errors.length).toBeLessThanOrEqual(5)
  expect(answer.json.data).toBeUndefined()
  // No stack, path, statement or number of a limit.
  expect(answer.text).not.toMatch(/\\n +at |\/(work|home|usr|node_modules)\b|SELECT |call stack|\d{3,}/i)
}

/** The next request is answered as if nothing had happened. */
export async function expectHealthy(stand: Stand): Promise<void> {
  expect((await stand.post('{ models }')).json).toEqual({ data: { models: ['churn'] } })
}

export const repeat = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ')
