// Records outcomes one after the other: node recorder.ts '{"url" | "dataDir"}'. Says on stdout which were acknowledged.
import { recordOutcome } from '../../ml/outcomes/recording.ts'
import { openDatabase } from '../../platform/database.ts'
import { createLog } from '../../platform/log.ts'
import { migrate } from '../../platform/migrate.ts'
import { localViewer } from '../../platform/viewer.ts'
import { toyModel } from '../ml/toy-model.ts'

const log = createLog('silent')
const database = await openDatabase({ ...JSON.parse(process.argv[2]!), log })
await migrate(database, log)
const model = toyModel()
const now = new Date('2026-06-01')
for (let id = 1; id < 5000; id++) {
  await recordOutcome(database, { model, key: { id }, at: now, label: id % 2 === 0, viewer: localViewer, now })
  console.log(`acknowledged ${id}`)
}
