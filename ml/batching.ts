import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import { withSpan } from '../platform/telemetry.ts'
import { type Coalescer, createCoalescer } from './coalescer.ts'
import type { FeatureRow, Model, Pair, SqlClient } from './define.ts'
import { recordBatch } from './meter.ts'
import type { ServedVersion } from './served-version.ts'
import type { Slot } from './slots.ts'
import { tenantsOf } from './tenants.ts'

/** Pairs read in one statement. */
export const MOST_PAIRS = 5000
const MOST_ROWS = 20_000
/** Batches of one kind under way at once: while one is read another is scored, and a database has more than one core. */
const LANES = 2
/** The longest that a request waits for others, and only while batches of the same kind are under way. */
const WAIT_MS = 1

const reading = {
  sizeOf: (part: readonly Slot[]) => part.length,
  most: MOST_PAIRS,
  lanes: LANES,
  worthwhile: 100, // some milliseconds of reading, against half a one for a statement
  waitMs: WAIT_MS,
}
const scoring = {
  sizeOf: ({ n }: Rows) => n,
  most: MOST_ROWS,
  lanes: LANES,
  worthwhile: MOST_ROWS, // there is one thread for all
  waitMs: WAIT_MS,
}

/**
 * The feature reads and the inferences of one process. Requests that come at about the same time share them: whoever may not see
 * a key has to be turned away before it gets here, and each gets back its own rows only.
 */
export interface Batching {
  /** Whose each slot's entity is, in their order; asked before features are. Throws FEATURE_READ_FAILED. */
  tenants(model: Model, slots: readonly Slot[]): Promise<readonly (string | null)[]>
  /** In the order of the slots. Throws FEATURE_READ_FAILED. */
  read(model: Model, slots: readonly Slot[]): Promise<readonly FeatureRow[]>
  /** Probabilities, shape (n,). rows: shape (n, width). */
  score(model: Model, served: ServedVersion, rows: Float32Array, n: number): Promise<Float32Array>
}

interface Rows {
  readonly rows: Float32Array
  readonly n: number
}

/** across: false limits reads and inferences to one request each; for measuring what sharing gains. */
export function createBatching(client: SqlClient, { across = true }: { readonly across?: boolean } = {}): Batching {
  const reads = new WeakMap<Model, Coalescer<readonly Slot[], readonly FeatureRow[]>>()
  const scores = new WeakMap<ServedVersion, Coalescer<Rows, Float32Array>>()
  const owners = new WeakMap<Model, Coalescer<readonly Slot[], readonly (string | null)[]>>()
  return {
    tenants(model, slots) {
      const run = (parts: readonly (readonly Slot[])[]) => lookTogether(model, client, parts)
      if (!model.tenants || !across) return run([slots]).then(([tenants]) => tenants!)
      let owner = owners.get(model)
      if (!owner) {
        owner = createCoalescer({ ...reading, run })
        owners.set(model, owner)
      }
      return owner.call(slots)
    },
    read(model, slots) {
      const run = (parts: readonly (readonly Slot[])[]) => readTogether(model, client, parts)
      if (!across) return run([slots]).then(([rows]) => rows!)
      let reader = reads.get(model)
      if (!reader) {
        reader = createCoalescer({ ...reading, run })
        reads.set(model, reader)
      }
      return reader.call(slots)
    },
    score(model, served, rows, n) {
      if (n === 0) return Promise.resolve(new Float32Array(0))
      const run = (parts: readonly Rows[]) => scoreTogether(model, served, parts)
      if (!across) return run([{ rows, n }]).then(([scored]) => scored!)
      let scorer = scores.get(served)
      if (!scorer) {
        scorer = createCoalescer({ ...scoring, run })
        scores.set(served, scorer)
      }
      return scorer.call({ rows, n })
    },
  }
}

/** An entity has one tenant, whoever asks: what requests share here is not what they may see. */
async function lookTogether(
  model: Model,
  client: SqlClient,
  parts: readonly (readonly Slot[])[],
): Promise<(readonly (string | null)[])[]> {
  const keys = parts.flatMap((part) => part.map(({ key }) => key))
  const tenants = await tenantsOf(model, client, keys)
  let at = 0
  return parts.map((part) => {
    at += part.length
    return tenants.slice(at - part.length, at)
  })
}

async function readTogether(
  model: Model,
  client: SqlClient,
  parts: readonly (readonly Slot[])[],
): Promise<(readonly FeatureRow[])[]> {
  const [only] = parts
  if (parts.length === 1 && only) return [await readFeatures(model, client, only, 1)]
  const union = new Map<string, Slot>()
  for (const part of parts) for (const slot of part) union.set(slot.id, slot)
  const rows = await readFeatures(model, client, [...union.values()], parts.length)
  const byId = new Map([...union.keys()].map((id, index) => [id, rows[index]!]))
  return parts.map((part) => part.map(({ id }) => byId.get(id)!))
}

async function scoreTogether(model: Model, served: ServedVersion, parts: readonly Rows[]): Promise<Float32Array[]> {
  const [only] = parts
  if (parts.length === 1 && only) return [await scoreRows(model, served, only.rows, only.n, 1)]
  const { width } = served.encoder
  const total = parts.reduce((sum, { n }) => sum + n, 0)
  const rows = new Float32Array(total * width)
  let at = 0
  for (const part of parts) {
    rows.set(part.rows, at * width)
    at += part.n
  }
  const scores = await scoreRows(model, served, rows, total, parts.length)
  at = 0
  return parts.map(({ n }) => {
    at += n
    return scores.subarray(at - n, at)
  })
}

/** Reads the features of all pairs in one statement. Throws FEATURE_READ_FAILED; what the database said is the cause. */
export async function readFeatures(
  model: Model,
  client: SqlClient,
  pairs: readonly Pair[],
  requests = 1,
): Promise<readonly FeatureRow[]> {
  recordBatch('read', model.name, pairs.length, requests)
  const attributes = { 'inkling.model': model.name, 'inkling.rows': pairs.length, 'inkling.requests': requests }
  try {
    return await withSpan('inkling.read', attributes, () => model.read(client, pairs))
  } catch (error) {
    if (isInklingError(error)) throw error
    throw new InklingError(
      'FEATURE_READ_FAILED',
      `The features of ${model.name} could not be read.`,
      'Try again; the log has the cause.',
      { cause: new Error(messageOf(error)) },
    )
  }
}

/** Scores rows in one inference. Throws INFERENCE_FAILED or INFERENCE_OVERLOADED. */
export function scoreRows(
  model: Model,
  { predictor, version }: ServedVersion,
  rows: Float32Array,
  n: number,
  requests = 1,
): Promise<Float32Array> {
  recordBatch('score', model.name, n, requests)
  const attributes = {
    'inkling.model': model.name,
    'inkling.rows': n,
    'inkling.requests': requests,
    'inkling.version': version.number,
  }
  return withSpan('inkling.score', attributes, () => predictor.score(rows, n))
}
