/**
 * How long one turn of the event loop takes while models are trained from the database that the settings name:
 *
 *   INKLING_DATA_DIR=.inkling nice node bench/trainer/event-loop.ts [model ...]
 *
 * CPU time is that of the main thread between two ticks of a 1 ms timer: unlike the wall time it says the same on a busy machine.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openGround } from '../../cli/ground.ts'
import { trainVersion } from '../../ml/training.ts'
import { findModel } from '../../ml/training-job.ts'
import { models } from '../../models/index.ts'

const names = process.argv.slice(2)
const chosen = names.length > 0 ? names.map((name) => findModel(models, name)) : models
const ground = await openGround({ quiet: true })

/** Milliseconds of CPU of this thread. */
function used(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

try {
  for (const model of chosen) {
    const wall = monitorEventLoopDelay({ resolution: 1 })
    const turns: { cpu: number; message: string }[] = []
    let message = ''
    let last = used()
    const tick = setInterval(() => {
      const now = used()
      turns.push({ cpu: now - last, message })
      last = now
    }, 1)
    wall.enable()
    const trained = await trainVersion(model, {
      client: ground.learning,
      now: ground.clock.now(),
      seed: 7,
      candidates: 'quick',
      keepDataset: true,
      onProgress: (progress) => {
        message = progress.message
      },
    })
    wall.disable()
    clearInterval(tick)
    turns.sort((a, b) => b.cpu - a.cpu)
    const [longest] = turns
    console.log(
      `${model.name}: ${trained.contents.rows} rows; longest turn ${longest?.cpu.toFixed(0)} ms of CPU (${longest?.message}), ` +
        `then ${turns
          .slice(1, 4)
          .map(({ cpu, message: during }) => `${cpu.toFixed(0)} (${during})`)
          .join(', ')}; ${(wall.max / 1e6).toFixed(0)} ms of wall time`,
    )
  }
} finally {
  await ground.close()
}
