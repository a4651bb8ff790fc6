import { afterAll, beforeAll, expect, it } from 'vitest'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { startTraining, trainingJob } from '../../ml/training-job.ts'
import { createClock } from '../../platform/clock.ts'
import { localViewer } from '../../platform/viewer.ts'
import { silent } from '../harness.ts'
import { openToyStand, type ToyStand } from './toy-stand.ts'

let stand: ToyStand
let jobs: Jobs
beforeAll(async () => {
  stand = await openToyStand(1)
})
afterAll(async () => {
  await jobs?.stop()
  await stand.close()
})

it('training says which features differ from those of the version before', async () => {
  const { database, registry, client, model } = stand
  const changed = {
    ...model,
    schemaHash: 'toy-2',
    features: [{ ...model.features[0]!, unit: 'inches' }, model.features[1]!],
  }
  const clock = await createClock(database, {})
  const models = [changed]
  const kinds = [trainingJob({ database, registry, clock, models, client })]
  jobs = await createJobs({ database, log: silent, worker: true, kinds })
  await jobs.start()
  const request = { model: 'toy', seed: 3, candidates: 'quick', promote: 'always', viewer: localViewer } as const
  const { jobId } = await startTraining({ database, registry, models, jobs }, request)
  expect((await jobs.ended(jobId)).state).toBe('SUCCEEDED')
  const { events } = await jobs.eventPage(jobId, { first: 100 })
  const said = events.filter(({ type }) => type === 'LOG').map(({ data }) => data.message)
  expect(said).toContain('features differ from those of version 1 (changed: x is in inches, was in cm)')
})
