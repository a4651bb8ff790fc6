import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Random } from '../../trainer/random.ts'
import type { Said } from './history.ts'

const script = fileURLToPath(new URL('./actor.ts', import.meta.url))

/** One process that is started again whenever it ends, until `end`. */
export interface Actor {
  readonly name: string
  /** Resolves when its current life is ready to be tormented. */
  ready(): Promise<void>
  kill(): void
  freeze(): void
  thaw(): void
  /** Asks it to end in good order and starts it again. */
  restart(): void
  /** No more requests, in this life and those to come. */
  quiet(): void
  /** Ends it for good; resolves with the exit code of an orderly end. */
  end(): Promise<number | null>
  readonly lives: number
}

export function startActor(options: { name: string; [key: string]: unknown }, random: Random, said: Said[]): Actor {
  let lives = 0
  let isEnding = false
  let isQuiet = false
  let child: ChildProcess
  let exited: Promise<number | null>
  let ready: Promise<void>

  function live(): void {
    lives += 1
    const skewMs = lives % 3 === 0 ? (random.next() - 0.5) * 7_200_000 : 0
    const given = { ...options, seed: random.below(2 ** 31), skewMs }
    child = spawn(process.execPath, [script, JSON.stringify(given)], { stdio: ['pipe', 'pipe', 'inherit'] })
    child.stdin!.on('error', () => {}) // it was killed while it was told something
    let text = ''
    let onReady = () => {}
    ready = new Promise((resolve) => {
      onReady = resolve
    })
    child.stdout!.setEncoding('utf8').on('data', (part: string) => {
      const lines = (text + part).split('\n')
      text = lines.pop()!
      for (const line of lines) {
        const one = JSON.parse(line) as Said
        if (one.op === 'ready') onReady()
        else said.push(one)
      }
    })
    if (isQuiet) child.stdin!.write('quiet\n')
    exited = new Promise((resolve) => child.once('exit', resolve))
    void exited.then(() => {
      onReady()
      if (!isEnding) setTimeout(() => isEnding || live(), random.below(800))
    })
  }
  live()
  return {
    name: options.name,
    ready: () => ready,
    kill: () => child.kill('SIGKILL'),
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    restart: () => child.kill('SIGTERM'),
    quiet() {
      isQuiet = true
      child.stdin!.write('quiet\n')
    },
    async end() {
      isEnding = true
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
      const code = await exited
      clearTimeout(timer)
      return code
    },
    get lives() {
      return lives
    },
  }
}
