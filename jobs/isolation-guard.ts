// A thread beside the work of an isolated job. The work may hold its own thread for hours; this one still sees when the process needs too
// much memory, or when the worker that started it is gone.
import { parentPort, workerData } from 'node:worker_threads'
import { type IsolationLimits, OVER_MEMORY } from './isolation-wire.ts'

const LOOK_MS = 20
const { memoryMb, workerPid } = workerData as IsolationLimits

setInterval(() => {
  if (process.ppid !== workerPid) process.kill(process.pid, 'SIGKILL')
  if (process.memoryUsage.rss() > memoryMb * 1024 * 1024) process.kill(process.pid, OVER_MEMORY)
}, LOOK_MS)
parentPort!.postMessage('watching')
