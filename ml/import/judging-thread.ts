// The other side of judgement.ts: measures on a thread of its own and asks for scores.
import { parentPort, workerData } from 'node:worker_threads'
import { type JudgingInput, judge } from './judging.ts'

const port = parentPort!
let heard: ((scores: Float32Array) => void) | null = null
port.on('message', (scores: Float32Array) => heard?.(scores))

const judgement = await judge(
  workerData as JudgingInput,
  (rows, n) =>
    new Promise((resolve) => {
      heard = resolve
      port.postMessage({ rows, n })
    }),
)
port.postMessage({ judgement })
port.close()
