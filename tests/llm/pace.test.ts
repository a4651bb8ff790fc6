import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createPace } from '../../llm/pace.ts'

/** What is said after half a second with so many events, twice as long as a look takes. */
async function after(events: number, pace = createPace()): Promise<number> {
  for (let index = 0; index < events; index++) pace.joinMs()
  await sleep(520)
  return pace.joinMs()
}

describe('how long text is joined', () => {
  it('is the shortest for one stream', async () => {
    const pace = createPace()
    expect(pace.joinMs()).toBe(25)
    expect(await after(20, pace)).toBeLessThanOrEqual(25 * 1.5) // a machine that is busy with other work may widen it once
  })

  it('grows while there are more events than a quarter of a core is for, and never beyond 400 ms', async () => {
    const pace = createPace()
    const windows = []
    for (let look = 0; look < 9; look++) windows.push(await after(2_000, pace))
    expect(windows[0]).toBe(37.5)
    expect(windows.at(-1)).toBe(400)
  }, 20_000)
})
