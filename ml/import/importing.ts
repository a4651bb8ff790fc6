import { InklingError } from '../../platform/errors.ts'
import type { Artefact } from '../../trainer/artefact.ts'
import { serialiseExplainer } from '../../trainer/explainer.ts'
import { extractDataset } from '../dataset.ts'
import type { Model, SqlClient } from '../define.ts'
import type { Origin } from '../origin.ts'
import { sha256Of } from '../receipt/receipt.ts'
import { writeReceipt } from '../receipt/writing.ts'
import { gatherEvidence } from '../rollout/evidence.ts'
import type { Rival } from '../rollout/opponent.ts'
import { judgedContents, type TrainedModel } from '../training.ts'
import { refuseOtherTypes } from './file-type.ts'
import { judgeOnThread } from './judgement.ts'
import type { Judgement } from './judging.ts'
import { type ImportPlan, type ResolvedPlan, resolvePlan } from './plan.ts'
import { openTrial, type Trial } from './trial.ts'

export interface ImportOptions {
  readonly file: Uint8Array
  readonly plan: ImportPlan
  readonly client: SqlClient
  /** The data's clock. */
  readonly now: Date
  readonly seed: number
  /** Who serves when it is judged: what it is held against. Absent: nobody. */
  readonly rival?: () => Promise<Rival | null>
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { done: number; total: number; message: string }) => void
}

interface Proven {
  readonly onnx: Uint8Array
  readonly producer: string
}

/** Scans, loads and proves a file in a process of its own, and nothing more. Throws IMPORT_INVALID or BAD_USER_INPUT. */
export async function tryFile(model: Model, file: Uint8Array, plan: ImportPlan): Promise<void> {
  refuseOtherTypes(file)
  const resolved = resolvePlan(plan, model)
  const trial = await openTrial()
  try {
    await trial.ask<Proven>({ type: 'import', file, plan: resolved })
  } finally {
    await trial.close()
  }
}

/**
 * A model trained elsewhere as a version like any other: proven on its golden rows in a process of its own, then judged here
 * on the rows that a training would hold out. Throws IMPORT_INVALID, BAD_USER_INPUT or NOT_ENOUGH_ROWS.
 */
export async function importModel(model: Model, options: ImportOptions): Promise<TrainedModel> {
  const { file, plan, client, now, seed, signal, onProgress } = options
  const report = (done: number, message: string) => onProgress?.({ done, total: 100, message })
  refuseOtherTypes(file)
  const resolved = resolvePlan(plan, model)
  const trial = await openTrial()
  try {
    report(5, 'trying the file')
    const proven = await trial.ask<Proven>({ type: 'import', file, plan: resolved })
    const extraction = await extractDataset(model, client, {
      now,
      signal,
      onRows: (rows) => report(20 + Math.round(50 * (1 - 1 / (1 + rows / 50_000))), `read ${rows} rows`),
    })
    const { dataset } = extraction
    refuseTooFew(model, dataset.n, extraction.positives)
    report(75, 'judging')
    const judgement = await judgeVersion(model, trial, resolved, plan, dataset, seed)
    signal?.throwIfAborted()
    const artefact = artefactOf(proven, judgement, resolved, seed)
    const receipt = await writeReceipt({ model, dataset, artefact, keptRows: null, now })
    const evidence = await gatherEvidence(model, artefact, dataset, (await options.rival?.()) ?? null)
    const { contents, reasons } = judgedContents(model, artefact, extraction, receipt, evidence)
    report(100, 'done')
    return {
      model,
      artefact,
      contents: { ...contents, origin: originOf(file, proven, plan) },
      receipt,
      keptRows: null,
      trainedKeys: null,
      isJudgedUnseen: judgement.isUnseen,
      evidence,
      reasons,
    }
  } finally {
    await trial.close()
  }
}

function judgeVersion(
  model: Model,
  trial: Trial,
  { columns, open }: ResolvedPlan,
  { trainedUntil }: ImportPlan,
  dataset: Parameters<typeof judgeOnThread>[0]['dataset'],
  seed: number,
): Promise<Judgement> {
  const input = {
    dataset,
    columns,
    open,
    trainedUntil: trainedUntil === undefined ? null : Date.parse(trainedUntil),
    slices: model.slices ?? [],
    threshold: model.threshold ?? null,
    seed,
  }
  return judgeOnThread(
    input,
    async (rows, n) => (await trial.ask<{ scores: Float32Array }>({ type: 'score', rows, n })).scores,
  )
}

function artefactOf({ onnx }: Proven, judgement: Judgement, { golden }: ResolvedPlan, seed: number): Artefact {
  const { columns, metrics, splits, intervals, slices, statistics, importances, heldOut, warnings } = judgement
  const model = {
    task: 'binary',
    objective: 'logistic',
    columns,
    outputs: 1,
    linear: null,
    forest: null,
    linearShare: 0,
    calibration: null,
  } as const
  return {
    onnx,
    explainer: serialiseExplainer({ model, spread: judgement.spread }),
    task: 'binary',
    columns,
    learner: 'imported',
    settings: {},
    metrics,
    splits,
    leaderboard: [],
    golden,
    importances,
    statistics,
    heldOut,
    intervals,
    coverage: null,
    slices,
    choice: { linear: null, boosted: null, linearShare: 0, folds: 2 },
    warnings,
    seed,
  }
}

function originOf(file: Uint8Array, { producer }: Proven, { trainedUntil }: ImportPlan): Origin {
  return {
    kind: 'IMPORTED',
    sha256: sha256Of(file),
    producer,
    importedAt: new Date().toISOString(),
    trainedUntil: trainedUntil ?? null,
    version: null,
  }
}

function refuseTooFew(model: Model, n: number, positives: number): void {
  if (n >= 50 && positives > 0 && positives < n) return
  throw new InklingError(
    'NOT_ENOUGH_ROWS',
    `${model.name} has ${n} labelled rows, ${positives} of them positive: nothing can judge an imported version.`,
    'Import or record history first: at least 50 labelled rows of both classes.',
  )
}
