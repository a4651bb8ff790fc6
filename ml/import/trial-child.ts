// The process that looks into a model file of unknown origin: what it breaks is its own. See trial.ts.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { InferenceSession } from 'onnxruntime-node'
import { isInklingError, messageOf } from '../../platform/errors.ts'
import { contributions, answer as explain, parseExplainer } from '../../trainer/explainer.ts'
import type { Golden } from '../inference/predictor.ts'
import { runSession, sessionOptions } from '../inference/session.ts'
import { checkExplainer } from './explainer-check.ts'
import { proveModel } from './proof.ts'
import { refused } from './refusal.ts'
import { scanOnnx } from './scan.ts'
import type { TrialAnswer, TrialQuestion } from './trial-wire.ts'
import { wrapModel } from './wrapping.ts'

const guard = new Worker(new URL('../../jobs/isolation-guard.ts', import.meta.url), {
  workerData: JSON.parse(process.argv[2]!),
  execArgv: [],
})
guard.unref()
const watching = once(guard, 'message')

let session: InferenceSession | null = null
let width = 0

async function work(question: TrialQuestion): Promise<TrialAnswer> {
  await watching
  if (question.type === 'score') return { scores: await runSession(session!, question.rows, question.n, width) }
  if (question.type === 'import') {
    const { file, plan } = question
    const scanned = scanOnnx(file)
    const onnx = wrapModel(scanned, plan)
    await load(onnx, plan.columns.length)
    await prove(
      plan.golden,
      plan.columns.map(({ name }) => name),
    )
    return { onnx, producer: scanned.producer.slice(0, 100) }
  }
  const { onnx, golden } = question
  scanOnnx(onnx)
  await load(onnx, question.width)
  await prove(golden, null)
  const explainer = parseExplainer(question.explainer)
  if (!question.explains) return { onnx, producer: 'inkling' }
  checkExplainer(explainer, question.width)
  const x = Float32Array.from(golden.x.flat(), (value) => value ?? Number.NaN)
  const answers = explain(explainer, x)
  contributions(explainer, x, golden.x.length)
  if (golden.y.some((expected, row) => !(Math.abs(answers[row]! - expected) <= 1e-4)))
    throw refused('its explainer belongs to another model', 'Export the version again.')
  return { onnx, producer: 'inkling' }
}

async function load(onnx: Uint8Array, columns: number): Promise<void> {
  await session?.release()
  session = null
  try {
    session = await InferenceSession.create(onnx, sessionOptions)
  } catch (error) {
    throw refused(`onnxruntime does not load it: ${messageOf(error).slice(0, 500)}`, 'Export the model again.', error)
  }
  width = columns
}

function prove(golden: Golden, names: readonly string[] | null): Promise<void> {
  return proveModel((rows, n) => runSession(session!, rows, n, width), width, golden, names)
}

let last: Promise<void> = Promise.resolve()
process.on('message', (question: TrialQuestion) => {
  last = last.then(async () => {
    const answer = await work(question).catch(
      (error): TrialAnswer => ({
        error: isInklingError(error)
          ? { code: error.code, message: error.message, hint: error.hint }
          : { code: null, message: messageOf(error), hint: '' },
      }),
    )
    process.send?.(answer)
  })
})
process.on('disconnect', () => process.exit(0))
