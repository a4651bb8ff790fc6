import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Role } from '../../app/roles.ts'

const program = fileURLToPath(new URL('../../cli/inkling.js', import.meta.url))

/** A real process of one role, that can be started again at the same address. */
export interface RoleProcess {
  readonly role: Role
  readonly port: number
  readonly url: string
  start(): Promise<void>
  /** Resolves once /health says 200. */
  isReady(): Promise<void>
  kill(signal: NodeJS.Signals): void
  /** Tells it to end and resolves with its exit code. */
  stop(): Promise<number | null>
}

export async function roleProcess(role: Role, environment: NodeJS.ProcessEnv): Promise<RoleProcess> {
  const port = await freePort()
  let child: ChildProcess | null = null
  let exited: Promise<number | null> = Promise.resolve(null)
  let output = ''
  return {
    role,
    port,
    url: `http://127.0.0.1:${port}`,
    start() {
      output = ''
      const started = spawn(process.execPath, [program, 'start', '--role', role], {
        env: {
          ...process.env,
          ...environment,
          PORT: String(port),
          HEALTH_PORT: String(port),
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      child = started
      exited = new Promise((resolve) => started.once('exit', resolve))
      return new Promise((resolve, reject) => {
        started.stderr!.on('data', (piece) => {
          output += piece
          if (output.includes(`http://127.0.0.1:${port}`)) resolve()
        })
        started.once('exit', () => reject(new Error(`${role} ended: ${output}`)))
      })
    },
    async isReady() {
      for (let look = 0; look < 600; look++) {
        const { ok } = await fetch(`http://127.0.0.1:${port}/health`)
        if (ok) return
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      throw new Error(`${role} is not ready: ${output}`)
    },
    kill: (signal) => void child?.kill(signal),
    stop() {
      child?.kill('SIGTERM')
      return exited
    },
  }
}

/** A port that was free a moment ago: addresses have to be known before the processes are. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
