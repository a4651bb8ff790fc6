import { type InferenceSession, Tensor } from 'onnxruntime-node'

export const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1, // spinning threads double the CPU and gain nothing at these sizes
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
}

/** rows: float32, row-major, shape (n, width). Returns the model's only output, flat. */
export async function runSession(
  session: InferenceSession,
  rows: Float32Array,
  n: number,
  width: number,
): Promise<Float32Array> {
  const answer = await session.run({ X: new Tensor('float32', rows, [n, width]) })
  return answer[session.outputNames[0]!]!.data as Float32Array
}
