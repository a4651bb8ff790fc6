import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { graphql } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { importJob } from '../../ml/import/import-job.ts'
import type { ModelContents } from '../../ml/model-version.ts'
import { sha256Of } from '../../ml/receipt/receipt.ts'
import { exportVersion } from '../../ml/transfer/transfer.ts'
import { localViewer } from '../../platform/viewer.ts'
import { createMlSubgraph } from '../../subgraphs/ml/subgraph.ts'
import { silent } from '../harness.ts'
import { now, openToyStand, type ToyStand } from '../predictions/toy-stand.ts'
import { readVector } from './vectors.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape
type Any = any

describe('importVersion in the graph', () => {
  let stand: ToyStand
  let jobs: Jobs
  let send: (source: string, input: object, scopes?: readonly string[]) => Promise<Any>
  let ask: (input: object, scopes?: readonly string[]) => Promise<Any>
  const folder = mkdtempSync(join(tmpdir(), 'inkling-import-'))
  beforeAll(async () => {
    stand = await openToyStand(1)
    const { database, registry, serving, client, model } = stand
    const engines = { database, registry, client, models: [model], clock: { now: () => now } as never }
    jobs = await createJobs({ database, log: silent, worker: true, kinds: [importJob(engines)] })
    await jobs.start()
    const subgraph = createMlSubgraph({ ...engines, serving, jobs, seed: 7, importFolder: folder })
    send = async (source, input, scopes = ['admin']) => {
      const viewer = { ...localViewer, scopes }
      const request = { requestId: 'r', viewer, now, instant: new Date(), log: silent }
      const { data, errors } = await graphql({
        schema: subgraph.schema,
        source,
        variableValues: { input },
        contextValue: subgraph.contextOf(request),
      })
      return errors ? { errors } : data
    }
    ask = async (input, scopes) => {
      const source = `mutation ($input: ImportVersionInput!) { importVersion(input: $input) { __typename
          ... on ImportVersionPayload { trainingRun { id state } job { id } modelVersion { id number state card } }
          ... on Error { code message hint } } }`
      const answer = await send(source, input, scopes)
      return answer.importVersion ?? answer
    }
  })
  afterAll(async () => {
    await jobs.stop()
    await stand.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

  it('tries the file at once, and lets a job judge and register it', async () => {
    const { file, content } = readVector('scikit-boosted')
    const plan = JSON.stringify(content)
    const started = await ask({ model: 'toy', content: base64(file), plan })
    expect(started).toMatchObject({ __typename: 'ImportVersionPayload', trainingRun: { state: 'QUEUED' } })
    await jobs.ended(started.job.id)
    const run = await stand.registry.runs.find(started.trainingRun.id)
    expect(run).toMatchObject({ kind: 'import', state: 'SUCCEEDED', report: { promoted: false } })
    const version = await stand.registry.version<ModelContents>(run!.versionId!)
    expect(version.contents.origin?.producer).toBe('skl2onnx')
  })

  it('takes a file of the import folder, and a version of another installation at once', async () => {
    const version = await stand.registry.version<ModelContents>(stand.ids[0]!)
    writeFileSync(join(folder, 'toy-1.inkling'), await exportVersion(stand.registry, version))
    const answer = await ask({ model: 'toy', file: 'toy-1.inkling' })
    expect(answer.modelVersion).toMatchObject({ state: 'REGISTERED', card: expect.stringContaining('# toy version') })
  })

  it('writes the file that another installation imports, for whoever may promote', async () => {
    const source = `mutation ($input: ExportVersionInput!) { exportVersion(input: $input) {
      ... on ExportVersionPayload { version { number } content bytes sha256 } ... on Error { code message } } }`
    const { exportVersion: written } = await send(source, { model: 'toy', version: 'champion' })
    const bytes = Buffer.from(written.content, 'base64')
    const version = await stand.registry.version<ModelContents>(stand.ids[0]!)
    expect(bytes.equals(await exportVersion(stand.registry, version))).toBe(true)
    expect(written).toMatchObject({ version: { number: 1 }, bytes: bytes.length, sha256: sha256Of(bytes) })
    expect((await ask({ model: 'toy', content: written.content })).modelVersion).toMatchObject({ state: 'REGISTERED' })
    expect((await send(source, { model: 'toy', version: '99' })).exportVersion).toMatchObject({ code: 'NOT_FOUND' })
    expect((await send(source, { model: 'toy', version: '1' }, ['models:read'])).errors).toHaveLength(1)
  })

  it('answers with what is wrong, and keeps nothing', async () => {
    const plan = JSON.stringify(readVector('zipmap').content)
    const count = async () => (await stand.database.query('SELECT 1 FROM "inkling"."Artefact"')).rows.length
    const before = await count()
    const zipmap = base64(readVector('zipmap').file)
    expect(await ask({ model: 'toy', content: zipmap, plan })).toMatchObject({ code: 'IMPORT_INVALID' })
    const pickle = base64(Uint8Array.from([0x80, 4, 0x95]))
    expect(await ask({ model: 'toy', content: pickle, plan })).toMatchObject({
      message: expect.stringMatching(/pickle/),
    })
    expect(await ask({ model: 'toy', content: 'no base64!', plan })).toMatchObject({ code: 'BAD_USER_INPUT' })
    expect(await ask({ model: 'toy', file: '../../etc/passwd' })).toMatchObject({ code: 'BAD_USER_INPUT' })
    expect(await ask({ model: 'toy', file: 'none.onnx' })).toMatchObject({ __typename: 'NotFoundError' })
    expect(await ask({ model: 'toy', plan })).toMatchObject({ code: 'BAD_USER_INPUT' })
    expect(await ask({ model: '../toy', content: zipmap, plan })).toMatchObject({ code: 'MODEL_UNKNOWN' })
    expect(await count()).toBe(before)
  })

  it('is refused without the scope', async () => {
    const { errors } = await ask({ model: 'toy', content: '' }, ['models:read', 'models:train'])
    expect(errors).toHaveLength(1)
  })
})
