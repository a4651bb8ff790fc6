import * as ort from 'onnxruntime-node'

/** The only output of an ONNX file for these rows, by ONNX Runtime. */
export async function runOnnx(bytes: Uint8Array, x: Float32Array, width: number): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1 })
  try {
    const output = await session.run({ X: new ort.Tensor('float32', x, [x.length / width, width]) })
    return output[session.outputNames[0]!]!.data as Float32Array
  } finally {
    await session.release()
  }
}

export function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = a.length === b.length ? 0 : Number.POSITIVE_INFINITY
  for (let i = 0; i < a.length; i++) {
    const gap = Math.abs(a[i]! - b[i]!) / Math.max(1, Math.abs(a[i]!))
    if (!(gap <= most)) most = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap
  }
  return most
}
