import { InferenceSession } from 'onnxruntime-node'
import { InklingError, isInklingError, messageOf } from '../../platform/errors.ts'
import { runSession, sessionOptions } from './session.ts'
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
  /** Probabilities in 0..1, shape (n,). rows: float32, row-major, shape (n, width). Throws INFERENCE_FAILED or INFERENCE_OVERLOADED. */
  score(rows: Float32Array, n: number): Promise<Float32Array>
  /**
   * Gives the session back as soon as nothing runs in it. A request that still holds the version is never let down: a later
   * `score` opens a session for as long as it needs one.
   */
  dispose(): Promise<void>
}

/** Tells predictors of one version apart on the thread that they share. */
let created = 0

/** Loads a model and proves that it reproduces its golden rows. Throws ARTEFACT_INVALID. */
export async function createPredictor(options: {
  readonly id: string
  readonly onnx: Uint8Array
  readonly width: number
  readonly golden: Golden
  readonly thread: InferenceThread
}): Promise<Predictor> {
  const { id, onnx, width, golden, thread } = options
  const onThread = { id: `${id}#${created++}`, bytes: onnx }
  let opened: Promise<InferenceSession> | null = null
  let running = 0
  let isDisposed = false

  function open(): Promise<InferenceSession> {
    opened ??= InferenceSession.create(onnx, sessionOptions)
    opened.catch(() => {
      opened = null
    })
    return opened
  }
  async function release(): Promise<void> {
    const closing = opened
    opened = null
    await thread.unload(onThread.id).catch(() => {}) // a thread that is gone holds nothing
    await (await closing)?.release()
  }
  async function run(rows: Float32Array, n: number): Promise<Float32Array> {
    running++
    try {
      return n <= INLINE_ROWS
        ? await runSession(await open(), rows, n, width)
        : await thread.score(onThread, rows, n, width)
    } finally {
      running--
      if (isDisposed && running === 0) await release()
    }
  }

  async function score(rows: Float32Array, n: number): Promise<Float32Array> {
    if (n === 0) return new Float32Array(0)
    let scores: Float32Array
    try {
      scores = await run(rows, n)
    } catch (error) {
      if (isInklingError(error)) throw error
      throw new InklingError(
        'INFERENCE_FAILED',
        `Scoring ${n} rows failed: ${messageOf(error)}`,
        'Try again; look at the log if it stays.',
        { cause: error },
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

  try {
    await open()
  } catch (error) {
    throw invalid(id, `onnxruntime refuses it: ${messageOf(error)}`, error)
  }
  await verifyGolden(id, score, width, golden)
  return {
    score,
    async dispose() {
      isDisposed = true
      if (running === 0) await release()
    },
  }
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
