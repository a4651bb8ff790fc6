import { execFile, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type IsolationLimits, OVER_MEMORY } from '../../jobs/isolation-wire.ts'
import { InklingError } from '../../platform/errors.ts'
import { refused } from './refusal.ts'
import type { TrialAnswer, TrialQuestion } from './trial-wire.ts'

/**
 * A process of its own in which a file of unknown origin is scanned, loaded and run, without our environment, under limits of
 * memory and time. Questions are answered one after the other.
 */
export interface Trial {
  /** Throws IMPORT_INVALID also when the process dies, needs too much or answers nothing in time. */
  ask<Answer extends Exclude<TrialAnswer, { error: unknown }>>(question: TrialQuestion): Promise<Answer>
  close(): Promise<void>
}

export interface TrialLimits {
  /** Resident memory of the process, of which Node and ONNX Runtime take about 120 MB. */
  readonly memoryMb: number
  /** For one question. */
  readonly seconds: number
}

const LIMITS: TrialLimits = { memoryMb: 1024, seconds: 60 }

export async function openTrial({ memoryMb, seconds }: TrialLimits = LIMITS): Promise<Trial> {
  const limits: IsolationLimits = { memoryMb, workerPid: process.pid }
  const child = fork(fileURLToPath(new URL('./trial-child.ts', import.meta.url)), [JSON.stringify(limits)], {
    execArgv: [`--max-old-space-size=${memoryMb}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {}, // a file that takes over the process finds no secret in it
  })
  const gone = new Promise<string>((resolve) => {
    child.once('error', () => resolve('the process that tries it could not be started'))
    child.once('exit', (code, signal) =>
      resolve(
        signal === OVER_MEMORY
          ? `it needs more than ${memoryMb} MB`
          : `the process that tries it died of it (${signal ?? `exit code ${code}`})`,
      ),
    )
  })
  if (child.pid !== undefined) await limitMemory(child.pid, memoryMb)
  let last: Promise<unknown> = Promise.resolve()

  async function answerTo(question: TrialQuestion): Promise<TrialAnswer> {
    if (child.exitCode !== null || child.signalCode !== null || !child.connected) return died(await gone)
    const heard = Promise.withResolvers<TrialAnswer>()
    const hear = (answer: unknown) => heard.resolve(answer as TrialAnswer)
    child.once('message', hear)
    const timer = setTimeout(() => {
      heard.resolve(died(`it takes longer than ${seconds} s`))
      child.kill('SIGKILL')
    }, seconds * 1000)
    void gone.then((why) => heard.resolve(died(why)))
    child.send(question, () => {}) // one that died meanwhile is seen by `gone`
    try {
      return await heard.promise
    } finally {
      clearTimeout(timer)
      child.off('message', hear)
    }
  }
  return {
    async ask<Answer>(question: TrialQuestion) {
      const answering = last.then(() => answerTo(question))
      last = answering
      const answer = await answering
      if (!('error' in answer)) return answer as Answer
      const { code, message, hint } = answer.error
      if (code === null) throw refused(message, 'Export the model again.')
      throw new InklingError(code as InklingError['code'], message, hint)
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await gone
    },
  }
}

function died(why: string): TrialAnswer {
  const { code, message, hint } = refused(why, 'Train a smaller model, or export it again.')
  return { error: { code, message, hint } }
}

/**
 * The guard within the process looks every 20 ms; what is asked for at once is bounded by the kernel. Resident memory cannot be:
 * private memory that may be written to comes nearest. Without prlimit (not Linux) the guard is alone.
 */
function limitMemory(pid: number, memoryMb: number): Promise<void> {
  const bytes = String(2 * memoryMb * 2 ** 20)
  return new Promise((resolve) => {
    execFile('prlimit', [`--pid=${pid}`, `--data=${bytes}`, '--core=0', '--fsize=0'], () => resolve())
  })
}
