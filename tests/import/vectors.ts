import { readFileSync } from 'node:fs'
import { type ImportPlan, parsePlan } from '../../ml/import/plan.ts'

/** Files that scikit-learn, LightGBM and PyTorch users would bring; vectors/make.py fits and writes them. */
export const vectorNames = [
  'scikit-logistic',
  'scikit-boosted',
  'scikit-forest',
  'lightgbm',
  'network',
  'columns',
] as const
export type VectorName = (typeof vectorNames)[number] | 'zipmap'

export function readVector(name: VectorName): { file: Uint8Array; content: Record<string, unknown>; plan: ImportPlan } {
  const at = (ending: string) => new URL(`./vectors/${name}.${ending}`, import.meta.url)
  const content = JSON.parse(readFileSync(at('json'), 'utf8'))
  return { file: new Uint8Array(readFileSync(at('onnx'))), content, plan: parsePlan(content) }
}
