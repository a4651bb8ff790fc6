import { setTimeout as pause } from 'node:timers/promises'
import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { standingOf } from '../registry/aliases.ts'
import type { Experiment } from '../registry/experiments/experiment.ts'
import type { Registry } from '../registry/registry.ts'
import type { AliasMove } from '../registry/version.ts'
import type { KeyValues, Model } from './define.ts'
import { refuseMismatch } from './feature-difference.ts'
import { createInferenceThread, type InferenceThread } from './inference/thread.ts'
import { CHAMPION, MODEL_KIND } from './model-version.ts'
import { type Reign, type Split, sidesOf } from './rollout/split.ts'
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
  /**
   * Who answers about which key at that instant: the champion, or the challenger of an experiment about its share of the keys.
   * The same for a whole request. Throws as `championAt`.
   */
  sidesAt(model: Model, instant: Date): Sides
  /** What an alias (champion, challenger, shadow ...) pointed at that instant, or a version by its number. Throws as `championAt`, and NOT_FOUND. */
  versionAt(model: Model, selector: string, instant: Date): Promise<ServedVersion>
  /** The id of the version that an alias pointed at at that instant; null for none. Looks at nothing but memory. */
  aliasAt(model: Model, alias: string, instant: Date): string | null
  /** A version by its id, kept loaded while there is room. */
  load(id: string): Promise<ServedVersion>
  /** What a version has answered in this process; null when it was never loaded here. */
  coverageOf(id: string): Readonly<Coverage> | null
  states(): ServingState[]
  /** Looks for moved aliases now instead of at the next notification. */
  refresh(): Promise<void>
  close(): Promise<void>
}

export interface Sides {
  readonly champion: ServedVersion
  versionOf(key: KeyValues): ServedVersion
}

/** Champions that stay ready to score; earlier ones load again for the rare request that still asks. */
const READY = 3
/** Earlier champions are remembered for longer than any request takes, however many promotions come in between. */
const LONGEST_REQUEST_MS = 60_000
const MOST_REIGNS = 64

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
  let isDue = false

  /** A version that rested and came back goes on counting where it was. */
  function load(id: string): Promise<ServedVersion> {
    const coverage = coverages.get(id) ?? { asked: 0, answered: 0 }
    coverages.set(id, coverage)
    return loadVersion(registry, thread, id, coverage)
  }

  async function follow(model: Model): Promise<void> {
    const seat = seats.get(model.name)!
    const moves = await registry.moves(MODEL_KIND, model.name)
    const [experiment] = (await registry.experiments.running(MODEL_KIND)).filter(({ name }) => name === model.name)
    seat.moves = moves
    const current = seat.reigns.at(-1)
    const champion = await seatChampion(model, seat)
    if (!champion) return
    const split = experiment?.baselineId === champion.version.id ? await join(model, experiment, current) : null
    if (current?.champion === champion && isSameSplit(current.split, split)) return
    const moved = moves.findLast(({ alias }) => alias === CHAMPION)!
    // A request that began before the version was ready here, or in this very millisecond, keeps the one that it began with.
    const since = Math.max(moved.movedAt.getTime(), Date.now() + 1)
    seat.reigns.push({ since, champion, split })
    if (current?.champion !== champion)
      log.info({ event: 'version serves', model: model.name, version: champion.version.number })
    await settle(seat)
    await pause(Math.max(1, since - Date.now())) // whoever waits for the look finds the version in force
  }

  /** The version that the alias points at, else the one that serves already, else the newest earlier one that still may. */
  async function seatChampion(model: Model, seat: Seat): Promise<ServedVersion | null> {
    const ready = seat.reigns.slice(-READY)
    for (const [at, id] of standingOf(seat.moves, CHAMPION).reverse().entries()) {
      try {
        const known = ready.findLast(({ champion }) => champion.version.id === id)
        const served = known?.champion ?? (await loadRegistered(id))
        if (at === 0) seat.problem = null
        return served
      } catch (error) {
        const problem = await refuse(model, id, error)
        if (at === 0) seat.problem = problem
        const serves = ready.at(-1)
        if (serves) return serves.champion
      }
    }
    return null
  }

  async function loadRegistered(id: string): Promise<ServedVersion> {
    const { name, number, state, reasons } = await registry.version(id)
    if (state === 'REGISTERED') return load(id)
    throw new InklingError(
      'ARTEFACT_INVALID',
      `${name} version ${number} is ${state.toLowerCase()}: ${reasons.at(-1)}`,
      'Promote another version.',
    )
  }

  /** Logs why a version may not answer; one whose bytes are wrong is taken out of service for good. */
  async function refuse(model: Model, id: string, error: unknown): Promise<InklingError> {
    const problem = isInklingError(error)
      ? error
      : new InklingError('ARTEFACT_INVALID', messageOf(error), 'Promote another version.', { cause: error })
    log.error({ event: 'version refused', model: model.name, versionId: id, error: problem.message })
    if (problem.code === 'ARTEFACT_INVALID') await registry.quarantine(id, problem.message)
    return problem
  }

  /** A challenger that cannot be loaded answers nobody; whoever judges experiments ends this one. */
  async function join(model: Model, experiment: Experiment, current: Reign | undefined): Promise<Split | null> {
    const { id, salt, steps, challengerId } = experiment
    try {
      const known = current?.split?.challenger
      const challenger = known?.version.id === challengerId ? known : await loadRegistered(challengerId)
      refuseMismatch(model, challenger.version)
      return { experimentId: id, salt, steps, challenger }
    } catch (error) {
      await refuse(model, challengerId, error)
      return null
    }
  }

  /** Forgets reigns that no running request can ask for, and lets all but the newest rest. */
  async function settle(seat: Seat): Promise<void> {
    const horizon = Date.now() - LONGEST_REQUEST_MS
    const before = new Set(seat.reigns.flatMap(versionsOf))
    while (seat.reigns.length > READY && (seat.reigns[1]!.since < horizon || seat.reigns.length > MOST_REIGNS))
      seat.reigns.shift()
    const ready = new Set(seat.reigns.slice(-READY).flatMap(versionsOf))
    for (const served of before) if (!ready.has(served)) await rest(served)
  }

  /** Looks that are asked for while one is about to begin are that one: a storm of moves is a handful of looks. */
  function refresh(): Promise<void> {
    if (isDue) return refreshing
    isDue = true
    refreshing = refreshing.then(async () => {
      isDue = false
      if (isClosed) return
      for (const model of models)
        await follow(model).catch((error) =>
          log.error({ event: 'champion could not be looked up', model: model.name, error: messageOf(error) }),
        )
    })
    return refreshing
  }

  function reignAt(model: Model, instant: Date): Reign {
    const seat = seats.get(model.name)
    const reigns = seat?.reigns ?? []
    const reign = reigns.findLast(({ since }) => since <= instant.getTime()) ?? reigns[0]
    if (!reign) throw seat?.problem ?? notTrained(model)
    refuseMismatch(model, reign.champion.version)
    return reign
  }
  const championAt = (model: Model, instant: Date) => reignAt(model, instant).champion

  async function versionAt(model: Model, selector: string, instant: Date): Promise<ServedVersion> {
    const name = selector.toLowerCase()
    if (name === CHAMPION) return championAt(model, instant)
    const id = /^\d{1,9}$/.test(name)
      ? await registry.find(MODEL_KIND, model.name, Number(name))
      : aliasAt(model, name, instant)
    if (!id) throw unknownVersion(model, selector)
    const reigning = seats.get(model.name)?.reigns.flatMap(versionsOf)
    const served = reigning?.find(({ version }) => version.id === id) ?? (await shelf.take(id))
    refuseMismatch(model, served.version)
    return served
  }
  function aliasAt(model: Model, alias: string, instant: Date): string | null {
    const moves = seats.get(model.name)?.moves ?? []
    return moves.findLast((move) => move.alias === alias && move.movedAt <= instant)?.toId ?? null
  }

  await refresh()
  const stop = await registry.onMove(() => void refresh())

  return {
    championAt,
    sidesAt(model, instant) {
      const reign = reignAt(model, instant)
      return { champion: reign.champion, versionOf: sidesOf(reign, instant) }
    },
    versionAt,
    aliasAt,
    load: (id) => shelf.take(id),
    coverageOf: (id) => coverages.get(id) ?? null,
    states: () =>
      models.map((model) => {
        const seat = seats.get(model.name)!
        return {
          model: model.name,
          version: seat.reigns.at(-1)?.champion.version.number ?? null,
          problem: seat.problem?.message ?? (seat.reigns.length === 0 ? 'no version serves yet' : null),
        }
      }),
    refresh,
    async close() {
      isClosed = true
      await stop()
      await refreshing
      const served = new Set([...seats.values()].flatMap((seat) => seat.reigns.flatMap(versionsOf)))
      for (const version of served) await rest(version)
      await shelf.clear()
      await thread.close()
    },
  }
}

function versionsOf({ champion, split }: Reign): ServedVersion[] {
  return split ? [champion, split.challenger] : [champion]
}

function isSameSplit(one: Split | null, other: Split | null): boolean {
  if (!one || !other) return one === other
  const stepsOf = ({ steps }: Split) => steps.map(({ at, buckets }) => `${at.getTime()} ${buckets}`).join()
  return one.experimentId === other.experimentId && stepsOf(one) === stepsOf(other)
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
