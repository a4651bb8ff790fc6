/**
 * CPU time of one boosted model, 80,000 x 30, 150 trees x 31 leaves, one thread, beside scikit-learn's HistGradientBoosting on the
 * same rows: `nice node bench/trainer/boosted-speed.ts`. The two take turns, so that a busy machine slows both.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom } from '../../trainer/index.ts'
import { auc } from '../../trainer/metrics.ts'
import { boost } from '../../trainer/trees/boost.ts'
import { forestScores } from '../../trainer/trees/forest.ts'
import { createArena } from '../../trainer/trees/histogram.ts'
import { defaultTreeSettings } from '../../trainer/trees/settings.ts'

const rows = 80_000
const width = 30
const rounds = 150
const leaves = 31
const repeats = 3

const random = createRandom(1)
const effects = Array.from({ length: width }, () => random.normal() / 3)
const x = new Float32Array(rows * width)
const y = new Float32Array(rows)
for (let row = 0; row < rows; row++) {
  let score = 0
  for (let f = 0; f < width; f++) {
    x[row * width + f] = random.normal()
    score += effects[f]! * x[row * width + f]!
  }
  score += x[row * width]! * x[row * width + 1]! + Math.sin(3 * x[row * width + 2]!)
  y[row] = random.next() < 1 / (1 + Math.exp(-score)) ? 1 : 0
}
const columns = Array.from({ length: width }, (_, f) => ({ name: `column${f}`, kind: 'number' as const }))
const arena = createArena()
// the same regularisation as scikit-learn's defaults
const settings = { ...defaultTreeSettings, rounds, leaves, l2: 0 }
const all = Uint32Array.from({ length: rows }, (_, row) => row)

const folder = mkdtempSync(join(tmpdir(), 'inkling-speed-'))
writeFileSync(join(folder, 'x.f32'), new Uint8Array(x.buffer))
writeFileSync(join(folder, 'y.f32'), new Uint8Array(y.buffer))
const ours: number[] = []
const theirs: number[] = []
let ourAuc: number | null = null
let theirAuc: number | null = null
try {
  for (let repeat = 0; repeat < repeats; repeat++) {
    const before = process.cpuUsage()
    const { forest } = boost(
      arena,
      { x, columns, y, weights: null, rows: all, objective: 'logistic', classes: 1, settings, seed: 1 },
      null,
    )
    const used = process.cpuUsage(before)
    ours.push((used.user + used.system) / 1e6)
    ourAuc ??= auc(y, forestScores(forest, x, width))
    const python = spawnSync(
      '/usr/bin/python3',
      [join(import.meta.dirname, 'boosted-speed.py'), folder, rows, width, rounds, leaves, 1].map(String),
      { env: { OMP_NUM_THREADS: '1' }, encoding: 'utf8' },
    )
    if (python.status !== 0) {
      console.log("scikit-learn is skipped: /usr/bin/python3 has no sklearn (Debian's python3-sklearn)")
      break
    }
    const answer = JSON.parse(python.stdout) as { seconds: number[]; auc: number }
    theirs.push(...answer.seconds)
    theirAuc = answer.auc
  }
} finally {
  rmSync(folder, { recursive: true })
}
const least = (values: readonly number[]) => Math.min(...values)
console.log(`${rows} x ${width}, ${rounds} trees x ${leaves} leaves, one thread, CPU seconds (least of ${ours.length})`)
console.log(`Inkling       ${least(ours).toFixed(2)}  AUC on the same rows ${ourAuc?.toFixed(5)}`)
if (theirs.length > 0) {
  console.log(`scikit-learn  ${least(theirs).toFixed(2)}  AUC on the same rows ${theirAuc?.toFixed(5)}`)
  console.log(`ratio         ${(least(ours) / least(theirs)).toFixed(2)}`)
}
