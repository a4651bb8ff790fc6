import { type ChildProcess, fork } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { InklingError } from '../platform/errors.ts'
import { OVER_MEMORY } from './isolation-wire.ts'

/** Room for what a dying process last said. */
const LAST_WORDS = 2000

export interface IsolatedProcess {
  readonly child: ChildProcess
  /** What it last said on stderr. */
  lastWords(): string
  /** Why it ended without a word. Too much memory would be too much again; anything else may have been chance. */
  goneError(code: number | null, signal: NodeJS.Signals | null): Error
}

/** Starts a script at a lower priority, with a guard of its own that ends it when it needs more than memoryMb (isolation-guard.ts). */
export function forkIsolated(script: URL, memoryMb: number): IsolatedProcess {
  const limits = { memoryMb, workerPid: process.pid }
  const child = fork(fileURLToPath(script), [JSON.stringify(limits)], {
    execArgv: [`--max-old-space-size=${memoryMb}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  yieldToOthers(child)
  let lastWords = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS)
  })
  return {
    child,
    lastWords: () => lastWords,
    goneError(code, signal) {
      if (signal === OVER_MEMORY || /heap out of memory|Reached heap limit/.test(lastWords))
        return new InklingError(
          'OUT_OF_MEMORY',
          `The job needed more than its ${memoryMb} MB of memory.`,
          'Give its kind more memoryMb, or its input less to hold at a time.',
        )
      return new Error(`The process of the job ended by ${signal ?? `exit code ${code}`} before its work did.`, {
        cause: lastWords,
      })
    },
  }
}

/** Those who wait for an answer go first; where priorities may not be set, all are equal. */
function yieldToOthers({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // not allowed here
  }
}
