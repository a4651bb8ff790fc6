import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Registry } from '../registry/registry.ts'
import { type Explainer, parseExplainer } from '../trainer/explainer.ts'
import type { Model } from './define.ts'
import { createEncoder, type Encoder } from './encoding.ts'
import { createPredictor, type Predictor } from './inference/predictor.ts'
import { createInferenceThread, type InferenceThread } from './inference/thread.ts'
import { CHAMPION, MODEL_KIND, type ModelVersion } from './model-version.ts'

/** A version that is loaded, proven on its golden rows and ready to score. */
export interface ServedVersion {
  readonly version: ModelVersion
  readonly encoder: Encoder
  readonly predictor: Predictor
  readonly explainer: Explainer
}

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
  /** A version by its id, loaded for as long as the caller needs it. */
  load(id: string): Promise<ServedVersion>
  states(): ServingState[]
  /** Looks for moved aliases now instead of at the next notification. */
  refresh(): Promise<void>
  close(): Promise<void>
}

/** Moves that a running request may still look back to; older versions are let go. */
const KEPT_MOVES = 3

interface Reign {
  readonly since: number
  readonly served: ServedVersion
}
interface Seat {
  /** Oldest first. */
  reigns: Reign[]
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
  const seats = new Map<string, Seat>(models.map((model) => [model.name, { reigns: [], problem: null }]))
  let refreshing: Promise<void> = Promise.resolve()
  let isClosed = false

  async function load(id: string): Promise<ServedVersion> {
    const version = await registry.version<ModelVersion['contents']>(id)
    const { columns, golden } = version.contents
    const [onnx, explainer] = await Promise.all([
      registry.artefact(version, 'onnx'),
      registry.artefact(version, 'explainer'),
    ])
    const predictor = await createPredictor({ id, onnx, width: columns.length, golden, thread })
    return { version, encoder: createEncoder(columns), predictor, explainer: parseExplainer(explainer) }
  }

  async function follow(model: Model): Promise<void> {
    const seat = seats.get(model.name)!
    const moves = (await registry.moves(MODEL_KIND, model.name)).filter((move) => move.alias === CHAMPION)
    const newest = moves.at(-1)
    const current = seat.reigns.at(-1)
    if (!newest || current?.since === newest.movedAt.getTime()) return
    try {
      const served = current?.served.version.id === newest.toId ? current.served : await load(newest.toId)
      seat.reigns.push({ since: newest.movedAt.getTime(), served })
      seat.problem = null
      log.info({ event: 'version serves', model: model.name, version: served.version.number })
    } catch (error) {
      seat.problem = isInklingError(error)
        ? error
        : new InklingError('ARTEFACT_INVALID', messageOf(error), 'Promote another version.', { cause: error })
      log.error({ event: 'version refused', model: model.name, versionId: newest.toId, error: messageOf(error) })
      if (seat.problem.code === 'ARTEFACT_INVALID') await registry.quarantine(newest.toId, seat.problem.message)
    }
    while (seat.reigns.length > KEPT_MOVES) await retire(seat, seat.reigns.shift()!)
  }

  async function retire(seat: Seat, { served }: Reign): Promise<void> {
    if (!seat.reigns.some((reign) => reign.served === served)) await served.predictor.dispose()
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

  await refresh()
  const stop = await registry.onMove(() => void refresh())

  return {
    championAt(model, instant) {
      const seat = seats.get(model.name)
      const reigns = seat?.reigns ?? []
      const reign = reigns.findLast(({ since }) => since <= instant.getTime()) ?? reigns[0]
      if (!reign) throw seat?.problem ?? notTrained(model)
      refuseMismatch(model, reign.served.version)
      return reign.served
    },
    load,
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
      for (const { predictor } of served) await predictor.dispose()
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

/** A model file that changed since training reads other features than the version expects: refuse, and say what differs. */
export function refuseMismatch(model: Model, version: ModelVersion): void {
  if (version.schemaHash === model.schemaHash) return
  const trained = new Set(version.contents.features.map((feature) => feature.name))
  const defined = new Set(model.features.map((feature) => feature.name))
  const added = [...defined].filter((name) => !trained.has(name))
  const removed = [...trained].filter((name) => !defined.has(name))
  const difference =
    [added.length > 0 ? `new: ${added.join(', ')}` : '', removed.length > 0 ? `gone: ${removed.join(', ')}` : '']
      .filter(Boolean)
      .join('; ') || 'a feature is read differently'
  throw new InklingError(
    'FEATURE_MISMATCH',
    `${model.name} version ${version.number} was trained with other features (${difference}).`,
    `Train again: \`inkling train ${model.name}\`.`,
  )
}
