import type { Model } from './define.ts'
import type { Absence } from './prediction.ts'

/** Why a prediction is out of the model's policy (`abstain` in the model file); null when it may be given. row: NaN = missing. */
export function abstentionOf(model: Model, row: ArrayLike<number>, low: number, high: number): Absence | null {
  const { missingShare, width } = model.abstain ?? {}
  if (missingShare !== undefined) {
    const share = missingShareOf(row)
    if (share > missingShare)
      return abstained(model, `${percent(share)} of its features are missing, more than ${percent(missingShare)}`)
  }
  if (width !== undefined && high - low > width)
    return abstained(model, `its interval is ${(high - low).toFixed(2)} wide, more than ${width}`)
  return null
}

export function missingShareOf(row: ArrayLike<number>): number {
  let missing = 0
  for (let at = 0; at < row.length; at++) if (Number.isNaN(row[at]!)) missing++
  return row.length > 0 ? missing / row.length : 0
}

function abstained(model: Model, why: string): Absence {
  return {
    code: 'ABSTAINED',
    message: `${model.name} abstains: ${why}.`,
    hint: 'Record more about this entity, or relax `abstain` in the model file.',
  }
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
