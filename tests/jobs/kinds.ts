import { z } from 'zod'
import { defineIsolatedJob } from '../../jobs/isolation.ts'
import { type AnyJobKind, defineJob } from '../../jobs/kind.ts'
import { InklingError } from '../../platform/errors.ts'
import type { Viewer } from '../../platform/viewer.ts'

export const viewer: Viewer = { id: 'tester', tenant: 'school', scopes: ['jobs:read', 'jobs:write'] }
export const stranger: Viewer = { id: 'stranger', tenant: 'elsewhere', scopes: ['jobs:read', 'jobs:write'] }
export const quickPulse = { beatMs: 200, silentMs: 1000, tickMs: 200, deafMs: 500 }

export const pause = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    })
  })

/** Adds 1..steps, a step each, and counts how often each step's work began. */
export const add = defineJob({
  name: 'add',
  input: z.object({ steps: z.number().int(), stepMs: z.number().default(0), failAt: z.number().default(0) }),
  retry: { delayMs: 10, maxDelayMs: 50 },
  async run(context, { steps, stepMs, failAt }) {
    let sum = 0
    for (let step = 1; step <= steps; step++) {
      sum += await context.step(`add ${step}`, async () => {
        if (step === failAt && context.attempt === 1) throw new Error('the first attempt fails here')
        if (stepMs > 0) await pause(stepMs, context.signal)
        return step
      })
      context.progress({ done: step, total: steps, unit: 'steps', message: `added ${step}` })
    }
    return { sum }
  },
})

/** Runs until it is told to stop. */
export const wait = defineJob({
  name: 'wait',
  input: z.object({ deaf: z.boolean().default(false) }),
  async run(context, { deaf }) {
    context.log('info', 'waiting')
    await pause(600_000, deaf ? undefined : context.signal)
  },
})

/** Fails as told. */
export const fail = defineJob({
  name: 'fail',
  input: z.object({ retryable: z.boolean() }),
  retry: { attempts: 3, delayMs: 10, maxDelayMs: 20 },
  async run(_context, { retryable }) {
    throw new InklingError(retryable ? 'UNAVAILABLE' : 'NOT_ENOUGH_ROWS', 'It cannot be done.', 'Do not ask.')
  },
})

/** Works in a process of its own. */
export const crunch = defineIsolatedJob({
  name: 'crunch',
  input: z.object({ how: z.enum(['loop', 'heap', 'buffers', 'steps', 'exit', 'family', 'tidy']) }),
  module: new URL('./crunch.ts', import.meta.url),
  memoryMb: 200,
  retry: { attempts: 2, delayMs: 10, maxDelayMs: 10 },
})

export const testKinds: readonly AnyJobKind[] = [add, wait, fail, crunch]
