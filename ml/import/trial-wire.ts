import type { Golden } from '../inference/predictor.ts'
import type { ResolvedPlan } from './plan.ts'

/** What a trial process is asked, one after the other. */
export type TrialQuestion =
  /** A file from elsewhere: scan it, write it anew, load and prove it. */
  | { readonly type: 'import'; readonly file: Uint8Array; readonly plan: ResolvedPlan }
  /** A version of another installation: its bytes stay as they are. */
  | {
      readonly type: 'transfer'
      readonly onnx: Uint8Array
      readonly explainer: Uint8Array
      /** False for one that was imported there: its explainer holds its intervals only. */
      readonly explains: boolean
      readonly width: number
      readonly golden: Golden
    }
  /** Scores with what was proven last; shape (n, width). */
  | { readonly type: 'score'; readonly rows: Float32Array; readonly n: number }

export type TrialAnswer =
  | { readonly onnx: Uint8Array; readonly producer: string }
  | { readonly scores: Float32Array }
  | { readonly error: { readonly code: string | null; readonly message: string; readonly hint: string } }
