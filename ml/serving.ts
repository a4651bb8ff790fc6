import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Registry } from '../registry/registry.ts'
import type { AliasMove } from '../registry/version.ts'
import type { Model } from './define.ts'
import { refuseMismatch } from './feature-difference.ts'
import { createInferenceThread, type InferenceThread } from './inference/thread.ts'
import { CHAMPION, MODEL_KIND } from './model-version.ts'
import { type Coverage, loadVersion, rest, type ServedVersion } from './served-version.ts'
import { createVersionShelf } from './version-shelf.ts'

export type { Coverage, ServedVersion } from './served-version.ts'

/** How a model stands in this process. */
export interface ServingState {
  readonly model: string
  readonly version: number | null
  /** Why nothing serves, or why the newest champion does not. */
  readonly problem: string | null
}

export interface Serving {
  /** The champion at that instant, the same for a whole request. Throws MODEL_NOT_TRAINED, FEATURE_MISMATCH or ARTEFACT_INVALID. */
  championAt(model: Model, instant: Date): ServedVersion
  /** What an alias (champion, challenger, shadow ...) pointed at that instant, or a version by its number. Throws as `championAt`, and NOT_FOUND. */
  versionAt(model: Model, selector: string, instant: Date): Promise<ServedVersion>
  /** A version by its id, kept loaded while there is room. */
  load(id: string): Promise<ServedVersion>
  /** What a version has answered in this process; null when it was never loaded here. */
  coverageOf(id: string): Readonly<Coverage> | null
  states(): ServingState[]
  /** Looks for moved aliases now instead of at the next notification. */
  refresh(): Promise<void>
  close(): Promise<void>
}

/** Champions that stay ready to score; earlier ones load again for the rare request that still asks. */
const READY = 3
/** Earlier champions are remembered for longer than any request takes, however many promotions come in between. */
const LONGEST_REQUEST_MS = 60_000
const MOST_REIGNS = 64

interface Reign {
  readonly since: number
  readonly served: ServedVersion
}
interface Seat {
  /** Oldest first. */
  reigns: Reign[]
  /** Every move of every alias, oldest first. */
  moves: readonly AliasMove[]
  problem: InklingError | null
}

/** Loads every model's champion and follows promotions made here or in other processes. */
export async function createServing(options: {
  readonly registry: Registry
  readonly models: readonly Model[]
  readonly log: Log
}): Promise<Serving> {
  const { registry, models, log } = options
  const thread: InferenceThread = createInferenceThread()
  const seats = new Map<string, Seat>(models.map(({ name }) => [name, { reigns: [], moves: [], problem: null }]))
  const coverages = new Map<string, Coverage>()
  const shelf = createVersionShelf(load)
  let refreshing: Promise<void> = Promise.resolve()
  let isClosed = false

  /** A version that rested and came back goes on counting where it was. */
  function load(id: string): Promise<ServedVersion> {
    const coverage = coverages.get(id) ?? { asked: 0, answered: 0 }
    coverages.set(id, coverage)
    return loadVersion(registry, thread, id, coverage)
  }

  async function follow(model: Model): Promise<void> {
    const seat = seats.get(model.name)!
    seat.moves = await registry.moves(MODEL_KIND, model.name)
    const newest = seat.moves.findLast(({ alias }) => alias === CHAMPION)
    const current = seat.reigns.at(-1)
    if (!newest || current?.served.version.id === newest.toId) return
    try {
      const known = seat.reigns.findLast(({ served }) => served.version.id === newest.toId)
      const served = known?.served ?? (await load(newest.toId))
      // A request that began before the version was ready here keeps the one that it began with.
      seat.reigns.push({ since: Math.max(newest.movedAt.getTime(), Date.now()), served })
      seat.problem = null
      log.info({ event: 'version serves', model: model.name, version: served.version.number })
    } catch (error) {
      seat.problem = isInklingError(error)
        ? error
        : new InklingError('ARTEFACT_INVALID', messageOf(error), 'Promote another version.', { cause: error })
      log.error({ event: 'version refused', model: model.name, versionId: newest.toId, error: messageOf(error) })
      if (seat.problem.code === 'ARTEFACT_INVALID') await registry.quarantine(newest.toId, seat.problem.message)
    }
    await settle(seat)
  }

  /** Forgets reigns that no running request can ask for, and lets all but the newest rest. */
  async function settle(seat: Seat): Promise<void> {
    const horizon = Date.now() - LONGEST_REQUEST_MS
    const before = new Set(seat.reigns.map(({ served }) => served))
    while (seat.reigns.length > READY && (seat.reigns[1]!.since < horizon || seat.reigns.length > MOST_REIGNS))
      seat.reigns.shift()
    const ready = new Set(seat.reigns.slice(-READY).map(({ served }) => served))
    for (const served of before) if (!ready.has(served)) await rest(served)
  }

  function refresh(): Promise<void> {
    refreshing = refreshing.then(async () => {
      if (isClosed) return
      for (const model of models)
        await follow(model).catch((error) =>
          log.error({ event: 'champion could not be looked up', model: model.name, error: messageOf(error) }),
        )
    })
    return refreshing
  }

  function championAt(model: Model, instant: Date): ServedVersion {
    const seat = seats.get(model.name)
    const reigns = seat?.reigns ?? []
    const reign = reigns.findLast(({ since }) => since <= instant.getTime()) ?? reigns[0]
    if (!reign) throw seat?.problem ?? notTrained(model)
    refuseMismatch(model, reign.served.version)
    return reign.served
  }

  async function versionAt(model: Model, selector: string, instant: Date): Promise<ServedVersion> {
    const name = selector.toLowerCase()
    if (name === CHAMPION) return championAt(model, instant)
    const id = /^\d{1,9}$/.test(name)
      ? await registry.find(MODEL_KIND, model.name, Number(name))
      : aliased(model, name, instant)
    if (!id) throw unknownVersion(model, selector)
    const reigning = seats.get(model.name)?.reigns.find(({ served }) => served.version.id === id)
    const served = reigning?.served ?? (await shelf.take(id))
    refuseMismatch(model, served.version)
    return served
  }
  function aliased(model: Model, alias: string, instant: Date): string | undefined {
    const moves = seats.get(model.name)?.moves ?? []
    return moves.findLast((move) => move.alias === alias && move.movedAt <= instant)?.toId
  }

  await refresh()
  const stop = await registry.onMove(() => void refresh())

  return {
    championAt,
    versionAt,
    load: (id) => shelf.take(id),
    coverageOf: (id) => coverages.get(id) ?? null,
    states: () =>
      models.map((model) => {
        const seat = seats.get(model.name)!
        return {
          model: model.name,
          version: seat.reigns.at(-1)?.served.version.number ?? null,
          problem: seat.problem?.message ?? (seat.reigns.length === 0 ? 'no version serves yet' : null),
        }
      }),
    refresh,
    async close() {
      isClosed = true
      await stop()
      await refreshing
      const served = new Set([...seats.values()].flatMap((seat) => seat.reigns.map((reign) => reign.served)))
      for (const version of served) await rest(version)
      await shelf.clear()
      await thread.close()
    },
  }
}

function notTrained(model: Model): InklingError {
  return new InklingError(
    'MODEL_NOT_TRAINED',
    `No version of ${model.name} serves yet.`,
    `Train one: \`inkling train ${model.name}\`, or the mutation trainModel.`,
  )
}

function unknownVersion(model: Model, selector: string): InklingError {
  return new InklingError(
    'NOT_FOUND',
    `${model.name} has no version "${selector}".`,
    `Name an alias that points somewhere or a number: \`inkling models list ${model.name}\`.`,
  )
}
