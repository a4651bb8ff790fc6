// The process of one isolated call: imports its module, hands it the caller's words and says what came of them.
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { isInklingError } from '../platform/errors.ts'
import type { FromCalled, IsolatedFunction, ToCalled } from './isolated-call.ts'
import { toJobError } from './job.ts'

const limits = JSON.parse(process.argv[2]!)
const guard = new Worker(new URL('./isolation-guard.ts', import.meta.url), { workerData: limits, execArgv: [] })
guard.unref()
const watching = once(guard, 'message')
const words = new PassThrough({ objectMode: true })

function say(message: FromCalled): Promise<void> {
  return new Promise((resolve) => process.send!(message, () => resolve()))
}

async function run(module: string): Promise<void> {
  try {
    await watching // once the work holds this thread it is too late
    const { run } = (await import(module)) as { run: IsolatedFunction<unknown> }
    const result = await run({ words, tell: (word) => void say({ type: 'told', word }) })
    await say({ type: 'done', result })
  } catch (error) {
    if (!isInklingError(error)) console.error(error) // its stack would be lost on the way
    await say({ type: 'failed', error: toJobError(error) })
  }
  process.disconnect()
}

process.on('message', (message: ToCalled) => {
  if (message.type === 'run') void run(message.module)
  else if (message.type === 'word') words.write(message.word)
  else words.end()
})
// Ended, or the caller is gone: what is still open here concerns nobody.
process.on('disconnect', () => process.exit())
