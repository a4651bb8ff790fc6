import type { IsolatedRun } from '../../jobs/isolation.ts'

export interface CrunchInput {
  readonly how: 'loop' | 'heap' | 'buffers' | 'steps' | 'exit' | 'family' | 'tidy'
}

/** Work that a worker must survive. */
export const run: IsolatedRun<CrunchInput> = async (context, { how }) => {
  context.log('info', `pid ${process.pid}`)
  await context.step('begin', () => how)
  const held: unknown[] = []
  if (how === 'loop') for (;;) Math.sqrt(held.length)
  if (how === 'heap') for (;;) held.push({ at: held.length, text: `${held.length}` })
  if (how === 'buffers') for (;;) held.push(Buffer.alloc(4_000_000, 1))
  if (how === 'exit') process.exit(3)
  if (how === 'tidy')
    await new Promise((_resolve, reject) =>
      context.signal.addEventListener('abort', () => reject(context.signal.reason)),
    )
  if (how === 'family') {
    const child = await context.child('add', { steps: 3 }, { key: 'only' })
    const [ended] = await context.join([child])
    return { child: ended!.result as { sum: number }, attempt: context.attempt }
  }
  let sum = 0
  for (let step = 1; step <= 3; step++) {
    sum += await context.step(`step ${step}`, async () => {
      if (step === 3 && context.attempt === 1) throw new Error('the first attempt fails here')
      return step * 10 + context.attempt
    })
    context.progress({ done: step, total: 3 })
  }
  await context.metric('sum', sum)
  await context.spend(0.5)
  await context.artifact('sum.txt', 'text/plain', Buffer.from(String(sum)))
  return { sum, isElsewhere: process.send !== undefined }
}
