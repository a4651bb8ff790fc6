// PGlite in a thread of its own: a query runs synchronously in WebAssembly and would block the event loop that serves requests.
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

const port = parentPort!
const { folder, template } = workerData as { folder?: string; template?: Uint8Array<ArrayBuffer> }
const database = await PGlite.create({
  ...(folder ? { dataDir: folder } : {}),
  ...(template ? { loadDataDir: new Blob([template]) } : {}),
})

type Message = Uint8Array | 'close' | 'dump'

async function answer(message: Message): Promise<unknown> {
  if (message === 'close') {
    await database.close()
    return {}
  }
  if (message === 'dump') {
    const dump = await database.dumpDataDir('none')
    return { dump: new Uint8Array(await dump.arrayBuffer()) }
  }
  await database.execProtocolRawStream(message, {
    onRawData(piece) {
      const copy = Uint8Array.from(piece)
      port.postMessage(copy, [copy.buffer])
    },
  })
  return {}
}

let last: Promise<void> = Promise.resolve() // rounds never overlap
port.on('message', (message: Message) => {
  last = last.then(async () => {
    try {
      port.postMessage(await answer(message))
    } catch (error) {
      port.postMessage({ error: error instanceof Error ? error.message : String(error) })
    }
    if (message === 'close') port.close()
  })
})
port.postMessage({})
