// The other side of contest-runner.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { type Contest, contest } from './contest.ts'

parentPort!.postMessage(contest(workerData as Contest))
