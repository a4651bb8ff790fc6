import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface WorkerProcess {
  readonly pid: number
  /** Everything it said so far. */
  said(): string
  /** Resolves with the match once it has said that. */
  says(pattern: RegExp, withinMs?: number): Promise<RegExpMatchArray>
  kill(signal: NodeJS.Signals): void
  /** Resolves with the exit code, or null after a signal. */
  readonly exited: Promise<number | null>
}

const script = new URL('./child.ts', import.meta.url)

export const startWorker = (options: object): WorkerProcess => startProcess(script, options)

/** Runs a script with its options as JSON. */
export function startProcess(script: URL, options: object): WorkerProcess {
  const child: ChildProcess = spawn(process.execPath, [fileURLToPath(script), JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  const listeners = new Set<() => void>()
  child.stdout!.on('data', (part) => {
    text += part
    for (const listener of listeners) listener()
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return {
    pid: child.pid!,
    said: () => text,
    says(pattern, withinMs = 30_000) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const match = text.match(pattern)
          if (!match) return
          clearTimeout(timer)
          listeners.delete(look)
          resolve(match)
        }
        const timer = setTimeout(() => {
          listeners.delete(look)
          reject(new Error(`It did not say ${pattern} within ${withinMs} ms, but:\n${text.slice(-500)}`))
        }, withinMs)
        listeners.add(look)
        look()
      })
    },
    kill: (signal) => child.kill(signal),
    exited,
  }
}
