import { Worker } from 'node:worker_threads'
import type { ScoreRows } from '../outcomes.ts'
import type { Judgement, JudgingInput } from './judging.ts'

/** `judge` on a thread of its own: resampling a hold-out would hold up the event loop. */
export function judgeOnThread(input: JudgingInput, score: ScoreRows): Promise<Judgement> {
  const worker = new Worker(new URL('./judging-thread.ts', import.meta.url), {
    workerData: input,
    execArgv: [],
    env: {},
  })
  return new Promise<Judgement>((resolve, reject) => {
    worker.on('message', (word: { rows: Float32Array; n: number } | { judgement: Judgement }) => {
      if ('judgement' in word) resolve(word.judgement)
      else score(word.rows, word.n).then((scores) => worker.postMessage(scores), reject)
    })
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`The thread that judges ended with code ${code}.`)))
  }).finally(() => void worker.terminate())
}
