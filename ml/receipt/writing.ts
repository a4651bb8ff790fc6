import type { Artefact } from '../../trainer/artefact.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import type { Model } from '../define.ts'
import { environmentOf, proveCode } from './code.ts'
import { proveDefinition } from './definition.ts'
import { type Receipt, sha256Of } from './receipt.ts'
import { proveRows } from './rows.ts'

export interface ReceiptInput {
  readonly model: Model
  readonly dataset: Dataset
  readonly artefact: Artefact
  readonly keptRows: Uint8Array | null
  /** The data's clock at the extraction. */
  readonly now: Date
  readonly allowLeaks?: readonly string[]
  readonly continueFrom?: { readonly version: number; readonly explainer: Uint8Array; readonly until: Date }
}

export async function writeReceipt(input: ReceiptInput): Promise<Receipt> {
  const { model, dataset, artefact, keptRows, now, allowLeaks, continueFrom } = input
  return {
    format: 'inkling-receipt/1',
    model: model.name,
    rows: await proveRows(dataset),
    extractedAt: now.toISOString(),
    definition: proveDefinition(model, allowLeaks),
    code: await proveCode(),
    environment: environmentOf(),
    seed: artefact.seed,
    choice: artefact.choice,
    continued: continueFrom
      ? {
          version: continueFrom.version,
          explainer: sha256Of(continueFrom.explainer),
          until: continueFrom.until.toISOString(),
        }
      : null,
    ...resultOf(artefact),
    artefacts: {
      onnx: sha256Of(artefact.onnx),
      explainer: sha256Of(artefact.explainer),
      ...(keptRows ? { dataset: sha256Of(keptRows) } : {}),
    },
  }
}

/** What a repetition must reproduce beside the bytes. */
export function resultOf({
  metrics,
  splits,
}: Pick<Artefact, 'metrics' | 'splits'>): Pick<Receipt, 'metrics' | 'splits'> {
  return { metrics, splits: splits.map(({ by, metrics: own }) => ({ by, metrics: own })) }
}
