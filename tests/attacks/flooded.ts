// A stand in a process of its own, so that its memory is its own: node --expose-gc flooded.ts local|http. Says its address; asked
// for figures, it says how much memory it holds once what is garbage is collected, and how many errors it logged.
import { createLog } from '../../platform/log.ts'
import { openStand, requestOf } from '../gateway/stand.ts'

let errors = 0
const log = createLog('error', { write: () => void errors++ })
const stand = await openStand({
  transport: process.argv[2] as 'local' | 'http',
  log,
  requestOf: (client) => ({ ...requestOf(client), log }),
  limits: { headersMs: 1_000, requestMs: 1_000 },
})

process.on('message', () => {
  globalThis.gc!()
  process.send!({ rss: process.memoryUsage().rss, errors })
})
process.send!(stand.url)
