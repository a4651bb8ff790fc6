// A client of the registry, in a process of its own or in the test's: promotes and rolls back as its seed says, and tells what it heard.
import { openDatabase } from '../../platform/database.ts'
import { isInklingError } from '../../platform/errors.ts'
import { createLog } from '../../platform/log.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { createRandom } from '../../trainer/random.ts'
import type { Heard } from './history.ts'

export interface MoverOptions {
  readonly name: string
  readonly by: string
  readonly versionIds: readonly string[]
  readonly moves: number
  readonly seed: number
  /** Moves under way at once. */
  readonly width: number
}

/** tell: called when a move begins, and again with what came of it. */
export async function moveAbout(
  registry: Registry,
  options: MoverOptions,
  tell: (heard: Heard) => void,
): Promise<void> {
  const { name, by, versionIds, moves, seed, width } = options
  const random = createRandom(seed)
  const place = { kind: 'model', name, alias: 'champion', movedBy: by, reason: 'because' }
  let begun = 0
  const lane = async () => {
    while (begun++ < moves) {
      const draw = random.next()
      const versionId = versionIds[random.below(versionIds.length)]!
      const champion = (await registry.moves('model', name)).at(-1)?.toId ?? undefined
      const believes = draw < 0.3 && champion !== undefined ? { expected: champion } : {}
      const op = draw > 0.7 ? ('rollback' as const) : ('promote' as const)
      const asked = { by, op, ...(op === 'promote' ? { versionId, ...believes } : {}), startedAt: Date.now() }
      tell({ ...asked, endedAt: null })
      try {
        const move = await (op === 'promote'
          ? registry.move({ ...place, versionId, ...believes })
          : registry.rollback(place))
        tell({ ...asked, endedAt: Date.now(), sequence: move.sequence })
      } catch (error) {
        if (!isInklingError(error)) throw error
        tell({ ...asked, endedAt: Date.now(), refused: error.code })
      }
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
}

if (process.argv[2] !== undefined && import.meta.filename === process.argv[1]) {
  const { url, ...options } = JSON.parse(process.argv[2]) as MoverOptions & { url: string }
  const database = await openDatabase({ url, log: createLog('silent') })
  await moveAbout(createRegistry(database), options, (heard) => process.stdout.write(`${JSON.stringify(heard)}\n`))
  await database.close()
}
