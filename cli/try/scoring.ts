import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Artefact } from '../../trainer/artefact.ts'
import type { Dataset } from '../../trainer/dataset.ts'

const blockRows = 4096

/**
 * What the artefact's ONNX answers for every row: probability (n,), probabilities (n, classes) row-major or value (n,). The
 * evaluation judges the bytes that are written out, not the trainer's own idea of them.
 */
export async function scoreRows(
  artefact: Pick<Artefact, 'onnx'>,
  { x, n, columns }: Pick<Dataset, 'x' | 'n' | 'columns'>,
): Promise<Float32Array> {
  const session = await InferenceSession.create(artefact.onnx, { intraOpNumThreads: 1, graphOptimizationLevel: 'all' })
  try {
    const width = columns.length
    let answers = new Float32Array(0)
    for (let from = 0; from < n; from += blockRows) {
      const rows = Math.min(blockRows, n - from)
      const block = Float32Array.from(x.subarray(from * width, (from + rows) * width))
      const output = await session.run({ X: new Tensor('float32', block, [rows, width]) })
      const scores = output[session.outputNames[0]!]!.data as Float32Array
      if (from === 0) answers = new Float32Array((scores.length / rows) * n)
      answers.set(scores, from * (scores.length / rows))
    }
    return answers
  } finally {
    await session.release()
  }
}
