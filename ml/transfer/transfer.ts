import { InklingError } from '../../platform/errors.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Model } from '../define.ts'
import { featureDifference } from '../feature-difference.ts'
import { type GateResult, judge } from '../gates.ts'
import { openTrial } from '../import/trial.ts'
import { MODEL_KIND, type ModelContents, type ModelVersion } from '../model-version.ts'
import type { Origin } from '../origin.ts'
import { sha256Of } from '../receipt/receipt.ts'
import { readVersionFile, TRAVELLING_ROLES, writeVersionFile } from './version-file.ts'

/** A version with its artefacts and receipt in one file; the same version gives the same bytes. Throws ARTEFACT_INVALID or UNAVAILABLE. */
export async function exportVersion(registry: Registry, version: ModelVersion): Promise<Uint8Array> {
  const artefacts = new Map<string, Uint8Array>()
  for (const role of TRAVELLING_ROLES)
    if (version.artefacts[role]) artefacts.set(role, await registry.artefact(version, role))
  return writeVersionFile(version, artefacts)
}

/**
 * Registers a version of another installation under a new number, when the model file here reads the same features and the golden
 * rows come out in a process of its own. It serves only when somebody promotes it. Throws IMPORT_INVALID or FEATURE_MISMATCH.
 */
export async function importTransferred(
  registry: Registry,
  model: Model,
  file: Uint8Array,
  createdBy: string,
): Promise<ModelVersion> {
  const { head, artefacts } = readVersionFile(file)
  if (head.model !== model.name)
    throw new InklingError(
      'IMPORT_INVALID',
      `The file holds a version of ${head.model}, not of ${model.name}.`,
      `Import it as that: \`inkling models import ${head.model} <file>\`.`,
    )
  const contents = head.contents as unknown as ModelContents
  refuseOtherFeatures(model, { ...head.version, schemaHash: head.schemaHash, contents } as never)
  const trial = await openTrial()
  try {
    const [onnx, explainer] = [artefacts.get('onnx')!, artefacts.get('explainer')!]
    const { golden, columns } = contents
    const explains = contents.origin?.kind !== 'IMPORTED'
    await trial.ask({ type: 'transfer', onnx, explainer, explains, width: columns.length, golden })
  } finally {
    await trial.close()
  }
  const gates = judgeAgain(model, contents)
  const reasons = gates.filter(({ isPassed }) => !isPassed).map(({ says }) => says)
  return registry.register<ModelContents>({
    kind: MODEL_KIND,
    name: model.name,
    state: reasons.length === 0 ? 'REGISTERED' : 'REJECTED',
    artefacts: Object.fromEntries(artefacts),
    schemaHash: head.schemaHash,
    contents: { ...contents, gates, comparison: null, origin: contents.origin ?? originOf(file, head.version) },
    reasons,
    createdBy,
  })
}

/** Its figures are of rows that are not here: bounds are held against them, comparisons with a champion or baseline cannot be made. */
function judgeAgain(model: Model, { metrics, slices }: ModelContents): GateResult[] {
  const evidence = {
    metrics,
    champion: null,
    incomparable: 'its figures are of rows of another installation',
    baseline: { by: 'BASE_RATE' as const, rows: 0, gains: {} },
    slices: slices.map(({ column, slice, rows, metrics }) => ({
      feature: column,
      slice,
      rows,
      metrics: metrics ?? {},
    })),
  }
  return judge(model, evidence).filter(({ against }) => against === 'BOUND' || against === 'SLICE')
}

function originOf(
  file: Uint8Array,
  { id, number, createdAt }: { id: string; number: number; createdAt: string },
): Origin {
  return {
    kind: 'TRANSFERRED',
    sha256: sha256Of(file),
    producer: 'inkling',
    importedAt: new Date().toISOString(),
    trainedUntil: null,
    version: { id, number, createdAt },
  }
}

function refuseOtherFeatures(model: Model, version: ModelVersion): void {
  const difference = featureDifference(model, version)
  if (difference === '') return
  throw new InklingError(
    'FEATURE_MISMATCH',
    `The version was trained with other features than ${model.name} reads here (${difference}).`,
    'Bring both installations to the same model file and schema, or train here.',
  )
}
