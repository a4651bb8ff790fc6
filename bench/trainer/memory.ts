/** Peak memory of a training on 1,000,000 x 30 above Node's own, and its time: `nice node bench/trainer/memory.ts [rows]`. */
import { readFileSync } from 'node:fs'
import { createRandom, train } from '../../trainer/index.ts'

const rows = Number(process.argv[2] ?? 1_000_000)
const width = 30

/** Megabytes, of this process with all its threads. */
function memory(): { now: number; peak: number } {
  const status = readFileSync('/proc/self/status', 'utf8')
  const field = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  return { now: field('VmRSS'), peak: field('VmHWM') }
}

const base = memory().now
const x = new Float32Array(new SharedArrayBuffer(4 * rows * width))
const y = new Float32Array(new SharedArrayBuffer(4 * rows))
const random = createRandom(1)
for (let row = 0; row < rows; row++) {
  let score = 0
  for (let f = 0; f < width; f++) {
    const value = random.normal()
    x[row * width + f] = random.next() < 0.05 ? Number.NaN : value
    score += (f % 3 ? 0.2 : -0.4) * value
  }
  y[row] = random.next() < 1 / (1 + Math.exp(-score)) ? 1 : 0
}
const columns = Array.from({ length: width }, (_, f) => ({ name: `column${f}`, kind: 'number' as const }))
const started = performance.now()
const artefact = await train({ columns, n: rows, x, y, task: 'binary' }, { candidates: 'quick', threads: 2 })
const seconds = (performance.now() - started) / 1000
console.log(`${rows} x ${width}: ${(x.byteLength / 2 ** 20).toFixed(0)} MB of cells`)
console.log(`peak ${(memory().peak - base).toFixed(0)} MB above Node's ${base.toFixed(0)}, cells included`)
console.log(`${seconds.toFixed(0)} s, ${artefact.learner}, AUC ${artefact.metrics.auc?.toFixed(4)}`)
