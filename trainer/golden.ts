import type { Artefact } from './artefact.ts'
import type { Dataset } from './dataset.ts'
import { answer, type Explainer } from './explainer.ts'
import { createRandom } from './random.ts'

const ROWS = 24

/**
 * Rows spread over the dataset, some of them with cells taken out, and one with every cell missing, with the answers that any
 * predictor must reproduce within 1e-5 (regression: of the answer's size). y: row by row, all classes of a row together.
 */
export function goldenRows(explainer: Explainer, dataset: Dataset, seed: number): Artefact['golden'] {
  const { columns, n } = dataset
  const width = columns.length
  const random = createRandom(seed).fork(3)
  const count = Math.min(ROWS, n)
  const x = new Float32Array((count + 1) * width)
  for (let i = 0; i < count; i++) {
    const row = Math.floor((i * n) / count)
    for (let f = 0; f < width; f++) {
      const value = dataset.x[row * width + f]!
      const isTaken = i % 3 === 2 && random.next() < 0.2
      x[i * width + f] = isTaken || !Number.isFinite(value) ? Number.NaN : value
    }
  }
  x.fill(Number.NaN, count * width)
  const cells = Array.from({ length: count + 1 }, (_, i) =>
    Array.from(x.subarray(i * width, (i + 1) * width), (value) => (Number.isNaN(value) ? null : value)),
  )
  return { x: cells, y: Array.from(answer(explainer, x)) }
}
