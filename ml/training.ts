import { InklingError, isInklingError } from '../platform/errors.ts'
import { withSpan } from '../platform/telemetry.ts'
import type { Registry } from '../registry/registry.ts'
import type { Artefact } from '../trainer/artefact.ts'
import type { Dataset } from '../trainer/dataset.ts'
import type { TrainHooks } from '../trainer/index.ts'
import { reliability } from '../trainer/metrics.ts'
import { type Extraction, extractDataset } from './dataset.ts'
import type { Model, SqlClient } from './define.ts'
import { fitModel, proveGoldenRows } from './fitting.ts'
import { fitModelApart } from './fitting-apart.ts'
import { judge } from './gates.ts'
import { CHAMPION, MODEL_KIND, type ModelContents, type ModelVersion } from './model-version.ts'
import { probabilityShares } from './monitoring/bins.ts'
import { createTrainedKeys } from './people/trained-keys.ts'
import { keepRows } from './receipt/kept-rows.ts'
import { type Receipt, serialiseReceipt } from './receipt/receipt.ts'
import { writeReceipt } from './receipt/writing.ts'
import { type Evidence, gatherEvidence } from './rollout/evidence.ts'
import type { Rival } from './rollout/opponent.ts'
import { decide, type Promotion } from './rollout/policy.ts'
import { settingsOf, trainOptionsOf } from './training-settings.ts'

export interface TrainingOptions {
  readonly client: SqlClient
  /** The data's clock: labels whose window is not over by then are left out. */
  readonly now: Date
  readonly seed: number
  /** quick: a small fixed set of candidates, no clock involved. full: a search under `budgetMs`. */
  readonly candidates?: 'quick' | 'full'
  readonly budgetMs?: number
  readonly allowLeaks?: readonly string[]
  /** Adds trees to those of this version instead of starting anew. */
  readonly continueFrom?: ContinueFrom
  /** Keeps the rows with the version, so that the training can be repeated without the database's rows. */
  readonly keepDataset?: boolean
  /** Who serves when the training is done: what the version is held against. Absent: nobody. */
  readonly rival?: () => Promise<Rival | null>
  /** Fits in a process of its own that may take so much; the rows held here may take a quarter of it. */
  readonly memoryMb?: number | undefined
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { done: number; total: number; message: string }) => void
}

export interface ContinueFrom {
  readonly version: number
  readonly explainer: Uint8Array
  /** The last moment that the version was trained on: later rows judge what is added to it. */
  readonly until: Date
}

/** A trained, verified artefact that is not registered yet. */
export interface TrainedModel {
  readonly model: Model
  readonly artefact: Artefact
  readonly contents: ModelContents
  readonly receipt: Receipt
  /** The rows it was trained on, compressed, where they are to be kept. */
  readonly keptRows: Uint8Array | null
  /** Digests of the keys it was trained on, so that a person's removal finds the versions that learned from that person; null where
   * nobody here knows them. */
  readonly trainedKeys: Uint8Array | null
  /** False when the version it went on from may have learned from the rows that judge it. */
  readonly isJudgedUnseen: boolean
  readonly evidence: Evidence
  /** Gates that failed; empty when the version may serve. */
  readonly reasons: readonly string[]
}

export interface TrainingOutcome {
  readonly model: string
  readonly version: ModelVersion
  readonly promoted: boolean
  /** Why it was promoted or not. */
  readonly why: string
  readonly isJudgedUnseen: boolean
  readonly reasons: readonly string[]
}

/** Fewer rows give a hold-out that says nothing. */
const MINIMUM_ROWS = 200
/** Extraction takes the first part of the bar, training the rest. */
const EXTRACTION_SHARE = 30

/** Rows -> features -> trainer -> ONNX, proven by our own predictor. Throws NOT_ENOUGH_ROWS, ONE_CLASS, LEAK and the like by name and number. */
export async function trainVersion(model: Model, options: TrainingOptions): Promise<TrainedModel> {
  const { client, now, signal, onProgress } = options
  const report = (done: number, message: string) => onProgress?.({ done: Math.round(done), total: 100, message })
  report(0, 'reading rows')
  const keys = createTrainedKeys()
  const extraction = await withSpan('inkling.extract', { 'inkling.model': model.name }, () =>
    extractDataset(model, client, {
      now,
      signal,
      memoryMb: options.memoryMb && options.memoryMb / 4,
      onKey: (key) => keys.add(key),
      onRows: (rows) => report(EXTRACTION_SHARE * (1 - 1 / (1 + rows / 50_000)), `read ${rows} rows`),
    }),
  )
  refuseTooFew(model, extraction)
  const { dataset } = extraction
  const artefact = await withSpan('inkling.train', { 'inkling.model': model.name, 'inkling.rows': dataset.n }, () =>
    runTrainer(model, extraction, options, (share, message) =>
      report(EXTRACTION_SHARE + (99 - EXTRACTION_SHARE) * share, message),
    ),
  )
  signal?.throwIfAborted()
  report(99, 'verifying golden rows')
  await proveGoldenRows(model.name, artefact)
  const keptRows = options.keepDataset ? await keepRows(dataset) : null
  const receipt = await writeReceipt({ model, dataset, artefact, keptRows, ...options })
  report(99, 'judging')
  const rival = (await options.rival?.()) ?? null
  const evidence = await withSpan('inkling.judge', { 'inkling.model': model.name }, () =>
    gatherEvidence(model, artefact, dataset, rival),
  )
  const judged = judgedContents(model, artefact, extraction, receipt, evidence)
  const isJudgedUnseen = isUnseen(artefact, dataset, options.continueFrom)
  const trainedKeys = await keys.finish()
  return { model, artefact, ...judged, receipt, keptRows, trainedKeys, isJudgedUnseen, evidence }
}

/** All that is known of a version, whoever trained it, and the gates that it failed. */
export function judgedContents(
  model: Model,
  artefact: Artefact,
  extraction: Extraction,
  receipt: Receipt,
  evidence: Evidence,
): Pick<TrainedModel, 'contents' | 'reasons'> {
  const { onnx: _onnx, explainer: _explainer, heldOut, ...described } = artefact
  const { dataset, positives, notApplicable, window } = extraction
  const gates = judge(model, evidence)
  const contents: ModelContents = {
    ...described,
    entity: model.entity,
    question: model.question,
    features: model.features,
    rows: dataset.n,
    positives,
    notApplicable,
    scoreShares: probabilityShares(heldOut.answers),
    window: { from: window!.from.toISOString(), to: window!.to.toISOString() },
    receipt: { rows: receipt.rows.sha256, definition: receipt.definition.sha256, code: receipt.code.sha256 },
    gates,
    comparison: evidence.champion,
    reliability: reliabilityOf(artefact, dataset),
  }
  return { contents, reasons: gates.filter(({ isPassed }) => !isPassed).map(({ says }) => says) }
}

/** Registers the version and ends its run with the report that says why it serves or not; within the caller's transaction. */
export async function completeRun(
  registry: Registry,
  trained: TrainedModel,
  options: { readonly promote: Promotion; readonly createdBy: string; readonly runId: string },
): Promise<TrainingOutcome> {
  const outcome = await registerVersion(registry, trained, options)
  const { promoted, why, reasons, version } = outcome
  const { metrics, comparison } = trained.contents
  const report = { promoted, why, reasons, metrics, comparison }
  await registry.runs.mark(options.runId, 'SUCCEEDED', { versionId: version.id, report })
  return outcome
}

/**
 * Registers the version and does what the policy says, in one transaction (or the caller's). A version that failed a gate is kept as
 * rejected; one that is better than a champion which was replaced meanwhile is not promoted.
 */
export async function registerVersion(
  registry: Registry,
  trained: TrainedModel,
  options: { readonly promote: Promotion; readonly createdBy: string; readonly runId?: string },
): Promise<TrainingOutcome> {
  const { model, artefact, contents, receipt, keptRows, trainedKeys, evidence, isJudgedUnseen, reasons } = trained
  const decision = decide(model, options.promote, trained)
  const version = await registry.register<ModelContents>({
    kind: MODEL_KIND,
    name: model.name,
    state: decision.state,
    artefacts: {
      onnx: artefact.onnx,
      explainer: artefact.explainer,
      receipt: Buffer.from(serialiseReceipt(receipt)),
      ...(trainedKeys ? { keys: trainedKeys } : {}),
      ...(keptRows ? { dataset: keptRows } : {}),
    },
    schemaHash: model.schemaHash,
    contents,
    reasons,
    createdBy: options.createdBy,
    ...(options.runId ? { runId: options.runId } : {}),
  })
  const outcome = { model: model.name, version, isJudgedUnseen, reasons }
  if (!decision.isPromoted) return { ...outcome, promoted: false, why: decision.why }
  const compared = options.promote === 'if-better' ? evidence.champion : null
  try {
    await registry.move({
      kind: MODEL_KIND,
      name: model.name,
      alias: CHAMPION,
      versionId: version.id,
      movedBy: options.createdBy,
      reason: decision.why,
      ...(compared ? { expected: compared.versionId } : {}),
    })
    return { ...outcome, promoted: true, why: decision.why }
  } catch (error) {
    if (!isInklingError(error) || error.code !== 'CONFLICT') throw error
    return { ...outcome, promoted: false, why: `the champion that it was compared with no longer serves` }
  }
}

/** What was said and what happened on the main hold-out, for the model card. */
function reliabilityOf({ heldOut }: Artefact, { y }: Dataset) {
  return reliability(
    Float32Array.from(heldOut.rows, (row) => y[row]!),
    heldOut.answers,
  )
}

function isUnseen({ heldOut }: Artefact, { times }: Dataset, continueFrom: ContinueFrom | undefined): boolean {
  if (!continueFrom) return true
  const until = continueFrom.until.getTime()
  return times !== undefined && heldOut.rows.every((row) => times[row]! > until)
}

function refuseTooFew(model: Model, { dataset, positives, notApplicable }: Extraction): void {
  const least = model.minimumRows ?? MINIMUM_ROWS
  const negatives = dataset.n - positives
  if (dataset.n < least)
    throw new InklingError(
      'NOT_ENOUGH_ROWS',
      `${model.name} has ${dataset.n} labelled rows${notApplicable > 0 ? ` (and ${notApplicable} that the question is not about)` : ''}; it needs ${least}.`,
      'Import or record more history, or lower `minimumRows` in the model file.',
    )
  if (positives === 0 || negatives === 0)
    throw new InklingError(
      'ONE_CLASS',
      `All ${dataset.n} labelled rows of ${model.name} are ${positives === 0 ? 'negative' : 'positive'}: there is nothing to tell apart.`,
      'Look at the label of the model file and at the period that the rows cover.',
    )
}

function runTrainer(
  model: Model,
  { dataset }: Extraction,
  { seed, candidates = 'full', budgetMs, allowLeaks, continueFrom, memoryMb, signal }: TrainingOptions,
  onShare: (share: number, message: string) => void,
): Promise<Artefact> {
  const options = {
    ...trainOptionsOf(settingsOf(model, allowLeaks)),
    seed,
    candidates,
    ...(budgetMs ? { budgetMs } : {}),
    ...(continueFrom ? { continueFrom: continueFrom.explainer, testAfter: continueFrom.until.getTime() } : {}),
  }
  const hooks: TrainHooks = {
    ...(signal ? { signal } : {}),
    onProgress: ({ done, total, message }) => onShare(total > 0 ? done / total : 0, message),
  }
  return memoryMb
    ? fitModelApart(model.name, dataset, options, hooks, memoryMb)
    : fitModel(model.name, dataset, options, hooks)
}
