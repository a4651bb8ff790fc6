import { Worker } from 'node:worker_threads'
import type { Contest, Gains } from './contest.ts'
import { siblingModule } from './fitting/crew.ts'

/** `contest` on a thread of its own: seconds of work that no event loop has to spare. */
export function runContest(given: Contest): Promise<Readonly<Record<string, Gains>>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(siblingModule('contest-thread', import.meta.url), { workerData: given, env: {} })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`The thread that compares ended with code ${code}.`)))
  })
}
