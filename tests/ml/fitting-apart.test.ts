import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { fitModel } from '../../ml/fitting.ts'
import { fitModelApart } from '../../ml/fitting-apart.ts'
import { startTraining, trainingJob } from '../../ml/training-job.ts'
import { createClock } from '../../platform/clock.ts'
import { localViewer } from '../../platform/viewer.ts'
import { silent } from '../harness.ts'
import { openToyStand, type ToyStand } from '../predictions/toy-stand.ts'
import { syntheticDataset } from '../trainer/synthetic.ts'

const options = { candidates: 'quick', seed: 5 } as const

describe('a fit in a process of its own', () => {
  it('gives the bytes that a fit here gives, and says how far it is', async () => {
    const dataset = syntheticDataset(600)
    const said: number[] = []
    const apart = await fitModelApart('toy', dataset, options, { onProgress: ({ done }) => said.push(done) }, 512)
    const here = await fitModel('toy', dataset, options, {})
    expect(Buffer.from(apart.onnx).equals(here.onnx)).toBe(true)
    expect(Buffer.from(apart.explainer).equals(here.explainer)).toBe(true)
    expect(apart.heldOut).toEqual(here.heldOut)
    expect(said.at(-1)).toBe(100)
  })

  it('refuses by the code and the name that a fit here refuses by', async () => {
    const dataset = syntheticDataset(600)
    const oneClass = { ...dataset, y: new Float32Array(dataset.n) }
    await expect(fitModelApart('toy', oneClass, options, {}, 512)).rejects.toMatchObject({ code: 'ONE_CLASS' })
  })

  it('is gone at once when it is aborted, with the reason', async () => {
    const dataset = syntheticDataset(20_000, { numbers: 20 })
    const abort = new AbortController()
    const reason = new Error('enough')
    const fitting = fitModelApart('toy', dataset, options, { signal: abort.signal }, 512)
    setTimeout(() => abort.abort(reason), 300)
    await expect(fitting).rejects.toBe(reason)
  })
})

describe('a training that needs too much memory', () => {
  let stand: ToyStand
  let jobs: Jobs
  beforeAll(async () => {
    stand = await openToyStand(1)
  })
  afterAll(async () => {
    await jobs?.stop()
    await stand.close()
  })

  it.each([
    ['for its rows', 0.01, 'labelled rows of toy need more than'],
    ['for its fits', 130, 'The job needed more than its 130 MB of memory.'],
  ])('%s fails alone and for good', async (_what, memoryMb, message) => {
    await jobs?.stop()
    const { database, registry, client, model } = stand
    const models = [model]
    const clock = await createClock(database, {})
    const kinds = [trainingJob({ database, registry, clock, models, client, memoryMb })]
    jobs = await createJobs({ database, log: silent, worker: true, kinds })
    await jobs.start()
    const request = { model: 'toy', seed: 3, candidates: 'quick', promote: 'never', viewer: localViewer } as const
    const { jobId } = await startTraining({ database, registry, models, jobs }, request)
    const job = await jobs.ended(jobId)
    expect(job).toMatchObject({ state: 'FAILED', attempt: 1, error: { code: 'OUT_OF_MEMORY' } })
    expect(job.error!.message).toContain(message)
  })
})
