// Trains a version, then registers, promotes and rolls back until it is killed: node crash-child.ts '{"url" | "dataDir", "seed"}'.
import { createServing } from '../../ml/serving.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import { openDatabase } from '../../platform/database.ts'
import { createLog } from '../../platform/log.ts'
import { migrate } from '../../platform/migrate.ts'
import { createRegistry } from '../../registry/registry.ts'
import { countingClient, fillToys, toyModel } from '../ml/toy-model.ts'
import { moveAbout } from './mover.ts'

const { url, dataDir, seed } = JSON.parse(process.argv[2]!)
const log = createLog('silent')
const database = await openDatabase({ url, dataDir, log })
await migrate(database, log)
await fillToys(database, 400)
const registry = createRegistry(database)
const model = toyModel()
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)
const serving = await createServing({ registry, models: [model], log })
say({ phase: 'opened', serves: serving.states()[0]!.version })
await registry.runs.create({ id: crypto.randomUUID(), kind: 'training', name: 'toy', createdBy: 'tests' })
const trained = await trainVersion(model, {
  client: countingClient(database),
  now: new Date('2026-06-01'),
  seed,
  candidates: 'quick',
  onProgress: ({ message }) => say({ phase: 'training', message }),
})
for (let round = 0; ; round++) {
  say({ phase: 'registering' })
  const asked = { by: 'child', op: 'promote', startedAt: Date.now(), endedAt: null }
  const runId = crypto.randomUUID()
  await registry.runs.create({ id: runId, kind: 'training', name: 'toy', createdBy: 'tests' })
  say({ heard: { ...asked, versionId: '' } }) // which version it will be, the database decides
  const { version } = await database.transaction(async () => {
    const registered = await registerVersion(registry, trained, { promote: 'always', createdBy: 'child', runId })
    await registry.runs.mark(runId, 'SUCCEEDED', { versionId: registered.version.id })
    return registered
  })
  say({ registered: version.number })
  const versionIds = (await registry.list('model', 'toy')).map(({ id }) => id)
  say({ phase: 'promoting' })
  const options = { name: 'toy', by: 'child', versionIds, moves: 6, seed: seed + round, width: 1 }
  await moveAbout(registry, options, (heard) => say({ heard }))
}
