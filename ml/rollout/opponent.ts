import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Registry } from '../../registry/registry.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import type { FeatureValue, Model, Rule } from '../define.ts'
import { createEncoder } from '../encoding.ts'
import { createPredictor } from '../inference/predictor.ts'
import { createInferenceThread } from '../inference/thread.ts'
import { CHAMPION, MODEL_KIND, type ModelContents, type ModelVersion } from '../model-version.ts'

/** The champion that a new version is held against. */
export interface Rival {
  readonly version: ModelVersion
  readonly onnx: Uint8Array
}

/** What the champion's alias points at; null when it points nowhere. Throws ARTEFACT_INVALID when its bytes are not what was registered. */
export async function readRival(registry: Registry, model: Model): Promise<Rival | null> {
  const moves = await registry.moves(MODEL_KIND, model.name)
  const id = moves.findLast(({ alias }) => alias === CHAMPION)?.toId
  if (!id) return null
  const version = await registry.version<ModelContents>(id)
  return { version, onnx: await registry.artefact(version, 'onnx') }
}

/** Rows decoded and scored between two turns of the event loop. */
const TURN_ROWS = 2000

/** Answers of the rival to rows of another version's dataset: decoded to what was read, then encoded as the rival knows it. */
export async function answersOfRival({ version, onnx }: Rival, dataset: Dataset, rows: Uint32Array) {
  const { columns, golden } = version.contents
  const encoder = createEncoder(columns)
  const thread = createInferenceThread()
  const answers = new Float64Array(rows.length)
  try {
    const predictor = await createPredictor({ id: version.id, onnx, width: encoder.width, golden, thread })
    for (let from = 0; from < rows.length; from += TURN_ROWS) {
      const part = rows.subarray(from, from + TURN_ROWS)
      const encoded = new Float32Array(part.length * encoder.width)
      for (const [at, row] of part.entries()) encoder.write(encoded, at, valuesOf(dataset, row))
      answers.set(await predictor.score(encoded, part.length), from)
    }
    await predictor.dispose()
    return answers
  } finally {
    await thread.close()
  }
}

/** Answers of the model file's rule, and the base rate where it cannot tell. */
export async function answersOfRule(rule: Rule, dataset: Dataset, rows: Uint32Array, baseRate: number) {
  const answers = new Float64Array(rows.length)
  for (const [at, row] of rows.entries()) {
    const values = valuesOf(dataset, row)
    const named = Object.fromEntries(dataset.columns.map(({ name }, column) => [name, values[column]!]))
    answers[at] = rule(named) ?? baseRate
    if (at % TURN_ROWS === TURN_ROWS - 1) await nextTurn()
  }
  return answers
}

/** The features as they were read, but for float32: missing is null again, a category its text. */
function valuesOf({ columns, x }: Dataset, row: number): FeatureValue[] {
  return columns.map(({ kind, levels }, column) => {
    const value = x[row * columns.length + column]!
    if (Number.isNaN(value)) return null
    return kind === 'category' ? (levels?.[value] ?? null) : value
  })
}
