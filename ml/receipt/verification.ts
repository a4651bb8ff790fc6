import { isInklingError, messageOf } from '../../platform/errors.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Artefact } from '../../trainer/artefact.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import { extractDataset } from '../dataset.ts'
import type { Model, SqlClient } from '../define.ts'
import { fitModel } from '../fitting.ts'
import { trainOptionsOf } from '../training-settings.ts'
import { differencesOfCode, environmentOf, proveCode } from './code.ts'
import { canonical, differencesOfDefinition, proveDefinition } from './definition.ts'
import { type Receipt, sha256Of } from './receipt.ts'
import { differencesOfRows, proveRows } from './rows.ts'
import { findStored, type StoredVersion } from './stored.ts'
import { resultOf } from './writing.ts'

export type Part = 'receipt' | 'rows' | 'definition' | 'code' | 'artefact' | 'metrics'

export interface Difference {
  readonly part: Part
  /** What differs, in a few words. */
  readonly says: string
}

export interface Verification {
  readonly model: string
  readonly isEqual: boolean
  /** By part: the receipt itself, rows, definition, code, artefact, metrics. */
  readonly differences: readonly Difference[]
  /** What is worth knowing and no difference. */
  readonly notes: readonly string[]
  /** Where the rows came from. */
  readonly rowsFrom: 'kept dataset' | 'database' | null
  /** The version that the receipt is of, where this database has it. */
  readonly version: number | null
}

export interface VerificationOptions {
  readonly receipt: Receipt
  /** The model of that name, where the code still has one. */
  readonly model: Model | null
  readonly registry: Registry
  readonly client: SqlClient
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { done: number; total: number; message: string }) => void
}

/**
 * Repeats a training: from the kept rows if there are any, else from the database as it was known at the receipt's moment, with
 * the recorded choice and without the clock. A difference in one part does not stop the others from being compared.
 */
export async function verifyReceipt(options: VerificationOptions): Promise<Verification> {
  const { receipt, model, registry, signal, onProgress } = options
  const differences: Difference[] = []
  const notes: string[] = []
  const differ = (part: Part, says: readonly string[]) => {
    differences.push(...says.map((words) => ({ part, says: words })))
  }
  const report = (done: number, message: string) => onProgress?.({ done, total: 100, message })
  report(0, 'reading what is stored')
  const stored = await findStored(registry, receipt)
  if (stored) differ('receipt', stored.receiptDiffers)
  else notes.push(`no version of ${receipt.model} in this database is of this receipt: what is stored was not compared`)
  if (stored) differ('artefact', stored.damaged)

  const { dataset, rowsFrom } = await rowsOf(options, stored, differ, (message) => report(10, message))
  if (dataset) differ('rows', differencesOfRows(receipt.rows, await proveRows(dataset)))
  if (model)
    differ(
      'definition',
      differencesOfDefinition(receipt.definition, proveDefinition(model, receipt.definition.settings.allowLeaks)),
    )
  else differ('definition', [`there is no model "${receipt.model}" any more`])
  differ('code', differencesOfCode(receipt.code, await proveCode()))
  notes.push(...otherEnvironment(receipt))

  signal?.throwIfAborted()
  const artefact = dataset ? await repeat(options, dataset, stored, differ, report) : null
  if (artefact) {
    for (const role of ['onnx', 'explainer'] as const)
      if (sha256Of(artefact[role]) !== receipt.artefacts[role])
        differ('artefact', [`the ${role} came out with other bytes`])
    differ('metrics', otherMetrics(receipt, artefact))
    if (differences.length > 0 && differences.every(({ part }) => part === 'code' || part === 'definition'))
      notes.push('bytes and metrics came out equal all the same')
  }
  return {
    model: receipt.model,
    isEqual: differences.length === 0,
    differences,
    notes,
    rowsFrom,
    version: stored?.number ?? null,
  }
}

type Differ = (part: Part, says: readonly string[]) => void

async function rowsOf(
  { receipt, model, client, signal }: VerificationOptions,
  stored: StoredVersion | null,
  differ: Differ,
  onRead: (message: string) => void,
): Promise<{ dataset: Dataset | null; rowsFrom: Verification['rowsFrom'] }> {
  const kept = await stored?.keptRows()
  if (kept && 'dataset' in kept) return { dataset: kept.dataset, rowsFrom: 'kept dataset' }
  if (kept) differ('rows', [kept.damage])
  if (!model) {
    differ('rows', ['they cannot be read without the model'])
    return { dataset: null, rowsFrom: null }
  }
  try {
    const { dataset } = await extractDataset(model, client, {
      now: new Date(receipt.extractedAt),
      signal,
      onRows: (rows) => onRead(`read ${rows} rows`),
    })
    return { dataset, rowsFrom: 'database' }
  } catch (error) {
    if (!isInklingError(error)) throw error
    differ('rows', [error.message])
    return { dataset: null, rowsFrom: null }
  }
}

/** Trains again as the receipt says; null, and a difference, where that cannot be done. */
async function repeat(
  { receipt, signal }: VerificationOptions,
  dataset: Dataset,
  stored: StoredVersion | null,
  differ: Differ,
  report: (done: number, message: string) => void,
): Promise<Artefact | null> {
  const { continued } = receipt
  const continueFrom = continued ? await stored?.explainerOf(continued) : undefined
  if (continued && !continueFrom) {
    differ('artefact', [`version ${continued.version}, which it went on from, is not stored here as it was`])
    return null
  }
  try {
    return await fitModel(
      receipt.model,
      dataset,
      {
        ...trainOptionsOf(receipt.definition.settings),
        seed: receipt.seed,
        candidates: receipt.choice,
        ...(continued && continueFrom ? { continueFrom, testAfter: Date.parse(continued.until) } : {}),
      },
      {
        ...(signal ? { signal } : {}),
        onProgress: ({ done, total, message }) => report(20 + Math.round((79 * done) / Math.max(1, total)), message),
      },
    )
  } catch (error) {
    if (signal?.aborted) throw error
    differ('artefact', [`the training cannot be repeated: ${messageOf(error)}`])
    return null
  }
}

function otherMetrics(receipt: Receipt, artefact: Artefact): string[] {
  const found = resultOf(artefact)
  if (canonical(found.splits) === canonical(receipt.splits) && canonical(found.metrics) === canonical(receipt.metrics))
    return []
  const names = new Set([...Object.keys(receipt.metrics), ...Object.keys(found.metrics)])
  const shown = [...names]
    .filter((name) => receipt.metrics[name] !== found.metrics[name])
    .map((name) => `${name} ${receipt.metrics[name] ?? 'unknown'} then, ${found.metrics[name] ?? 'unknown'} now`)
  return shown.length > 0 ? shown : ['those of another hold-out than the main one']
}

function otherEnvironment(receipt: Receipt): string[] {
  const now = environmentOf()
  return Object.entries(receipt.environment).flatMap(([name, then]) => {
    const found = now[name as keyof typeof now]
    return found === then ? [] : [`trained on ${name} ${then}, verified on ${found}`]
  })
}
