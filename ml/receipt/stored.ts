import { isInklingError } from '../../platform/errors.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Version } from '../../registry/version.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import { MODEL_KIND } from '../model-version.ts'
import { canonical } from './definition.ts'
import { readKeptRows } from './kept-rows.ts'
import { type Continued, parseReceipt, type Receipt, sha256Of } from './receipt.ts'

/** The version that a receipt is of, as the registry has it. */
export interface StoredVersion {
  readonly number: number
  /** Why the receipt is not the one that was stored with the version; empty when it is. */
  readonly receiptDiffers: readonly string[]
  /** Artefacts whose bytes are not those that were registered. */
  readonly damaged: readonly string[]
  /** Null where none were kept. */
  keptRows(): Promise<{ dataset: Dataset } | { damage: string } | null>
  explainerOf(continued: Continued): Promise<Uint8Array | undefined>
}

/** Versions looked through for the one with the receipt's bytes. */
const NEWEST = 10_000

export async function findStored(registry: Registry, receipt: Receipt): Promise<StoredVersion | null> {
  const versions = await registry.list(MODEL_KIND, receipt.model, NEWEST)
  const own = (role: string, version: Version) => version.artefacts[role] === receipt.artefacts[role]
  const candidates = versions.filter((version) => own('onnx', version) && own('explainer', version))
  // the same training done twice has the same bytes, and perhaps only one of the two kept its rows
  const version = candidates.find((candidate) => own('dataset', candidate)) ?? candidates[0]
  if (!version) return null
  const damaged: string[] = []
  const bytesOf = async (role: string, of: Version = version): Promise<Uint8Array | null> => {
    try {
      return of.artefacts[role] ? await registry.artefact(of, role) : null
    } catch (error) {
      if (!isInklingError(error)) throw error
      damaged.push(error.message)
      return null
    }
  }
  for (const role of ['onnx', 'explainer']) await bytesOf(role)
  const written = await bytesOf('receipt')
  return {
    number: version.number,
    receiptDiffers: written ? differencesOfReceipt(receipt, Buffer.from(written).toString()) : [],
    damaged,
    async keptRows() {
      if (!version.artefacts.dataset) return null
      const before = damaged.length
      const packed = await bytesOf('dataset')
      if (!packed) return { damage: damaged.splice(before).join('; ') }
      try {
        return { dataset: await readKeptRows(packed) }
      } catch (error) {
        if (!isInklingError(error)) throw error
        return { damage: error.message }
      }
    },
    async explainerOf({ version: number, explainer }) {
      const earlier = versions.find((candidate) => candidate.number === number)
      const bytes = earlier ? await bytesOf('explainer', earlier) : null
      return bytes && sha256Of(bytes) === explainer ? bytes : undefined
    },
  }
}

function differencesOfReceipt(receipt: Receipt, written: string): string[] {
  const stored = parseReceipt(written, 'the stored receipt')
  const names = Object.keys(stored) as (keyof Receipt)[]
  const changed = names.filter((name) => canonical(stored[name]) !== canonical(receipt[name]))
  return changed.length > 0
    ? [`${changed.join(', ')} of the receipt ${changed.length > 1 ? 'are' : 'is'} not what was stored`]
    : []
}
