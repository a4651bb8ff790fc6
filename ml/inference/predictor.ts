import { InferenceSession, Tensor } from 'onnxruntime-node'
import { InklingError, messageOf } from '../../platform/errors.ts'
import type { InferenceThread } from './thread.ts'

/** Up to here a run on this thread (about 3 us a row) is cheaper than the way to another one and never stalls the event loop. */
const INLINE_ROWS = 256
/** Golden rows must come out as the trainer saw them; float32 sums differ by less than this. */
const TOLERANCE = 1e-5

export interface Golden {
  readonly x: readonly (readonly (number | null)[])[]
  readonly y: readonly number[]
}

export interface Predictor {
  /** Probabilities in 0..1, shape (n,). rows: float32, row-major, shape (n, width). Throws INFERENCE_FAILED. */
  score(rows: Float32Array, n: number): Promise<Float32Array>
  dispose(): Promise<void>
}

export const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1, // spinning threads double the CPU and gain nothing at these sizes
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
}

/** Loads a model and proves that it reproduces its golden rows. Throws ARTEFACT_INVALID. */
export async function createPredictor(options: {
  readonly id: string
  readonly onnx: Uint8Array
  readonly width: number
  readonly golden: Golden
  readonly thread: InferenceThread
}): Promise<Predictor> {
  const { id, onnx, width, golden, thread } = options
  let session: InferenceSession
  try {
    session = await InferenceSession.create(onnx, sessionOptions)
  } catch (error) {
    throw invalid(id, `onnxruntime refuses it: ${messageOf(error)}`, error)
  }
  let isOnThread: Promise<void> | null = null

  async function score(rows: Float32Array, n: number): Promise<Float32Array> {
    if (n === 0) return new Float32Array(0)
    let scores: Float32Array
    try {
      if (n <= INLINE_ROWS) scores = await runSession(session, rows, n, width)
      else {
        isOnThread ??= thread.load(id, onnx)
        await isOnThread
        scores = await thread.score(id, rows, n, width)
      }
    } catch (error) {
      throw new InklingError(
        'INFERENCE_FAILED',
        `Scoring ${n} rows failed: ${messageOf(error)}`,
        'Try again; look at the log if it stays.',
        {
          cause: error,
        },
      )
    }
    if (scores.length !== n || scores.some((value) => !Number.isFinite(value)))
      throw new InklingError(
        'INFERENCE_FAILED',
        'The model answered with something that is no number.',
        'Promote another version.',
      )
    return scores
  }

  const predictor: Predictor = {
    score,
    async dispose() {
      if (isOnThread) await isOnThread.then(() => thread.unload(id)).catch(() => {})
      await session.release()
    },
  }
  await verifyGolden(id, score, width, golden)
  return predictor
}

export async function runSession(
  session: InferenceSession,
  rows: Float32Array,
  n: number,
  width: number,
): Promise<Float32Array> {
  const answer = await session.run({ X: new Tensor('float32', rows, [n, width]) })
  return answer[session.outputNames[0]!]!.data as Float32Array
}

async function verifyGolden(id: string, score: Predictor['score'], width: number, golden: Golden): Promise<void> {
  const n = golden.x.length
  const rows = new Float32Array(n * width)
  for (const [index, row] of golden.x.entries())
    rows.set(
      row.map((value) => value ?? Number.NaN),
      index * width,
    )
  const scores = await score(rows, n)
  for (const [index, expected] of golden.y.entries()) {
    const difference = Math.abs(scores[index]! - expected)
    if (!(difference <= TOLERANCE))
      throw invalid(id, `golden row ${index} scores ${scores[index]} instead of ${expected}`)
  }
}

function invalid(id: string, why: string, cause?: unknown): InklingError {
  return new InklingError(
    'ARTEFACT_INVALID',
    `Version ${id} cannot serve: ${why}.`,
    'Train again or promote another version.',
    { cause },
  )
}
