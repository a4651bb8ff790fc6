// Exact contributions: milliseconds a row for boosted trees of 100 rounds x 31 leaves over 30 features, here and in the thread,
// and a what-if over three actionable features. Usage: node bench/predictions/reasons.ts
import { reasonsOf } from '../../ml/explain/reasons.ts'
import { findWhatIfs } from '../../ml/what-if.ts'
import { randomVersion } from '../../tests/predictions/random-version.ts'

const random = await randomVersion({
  seed: 5,
  learner: 'boosted',
  numbers: 28,
  levels: [5, 12],
  rounds: 100,
  leaves: 31,
  actionable: (column) => (column < 3 ? { step: 0.2 } : undefined),
})
const predictions = await random.predict(0, 1000)
const middle = async (times: number, work: () => Promise<unknown>) => {
  const took: { ms: number; cpuMs: number }[] = []
  for (let time = 0; time < times; time++) {
    const cpu = process.cpuUsage()
    const start = performance.now()
    await work()
    const { user, system } = process.cpuUsage(cpu)
    took.push({ ms: performance.now() - start, cpuMs: (user + system) / 1000 })
  }
  return took.toSorted((a, b) => a.ms - b.ms)[Math.floor(times / 2)]!
}
await reasonsOf(predictions)
await reasonsOf(predictions.slice(0, 10))
const many = await middle(7, () => reasonsOf(predictions))
const few = await middle(31, () => reasonsOf(predictions.slice(0, 10)))
let at = 0
// Out of reach for most: every combination is tried.
const goal = { goal: 'LOWER', to: 0.001, maxChanges: 2, first: 1 } as const
const whatIf = await middle(31, () => findWhatIfs(predictions[at++]!, goal))
const row = ({ ms, cpuMs }: { ms: number; cpuMs: number }, rows: number) => ({
  ms: Number(ms.toFixed(2)),
  'CPU ms a row': Number((cpuMs / rows).toFixed(3)),
})
console.table({
  'reasons of 1,000 rows, in the thread': row(many, predictions.length),
  'reasons of 10 rows, on the event loop': row(few, 10),
  'one what-if, at most two changes': row(whatIf, 1),
})
await random.close()
