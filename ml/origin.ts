/** Where a version came from that was not trained here. */
export interface Origin {
  /** IMPORTED: trained by other software, from an ONNX file. TRANSFERRED: a version of another installation. */
  readonly kind: 'IMPORTED' | 'TRANSFERRED'
  /** sha256 of the file that it came in. */
  readonly sha256: string
  /** What wrote the file, by its own words, such as skl2onnx. */
  readonly producer: string
  readonly importedAt: string
  /** The last moment that it learned from, where its owner said so. */
  readonly trainedUntil: string | null
  /** Of a transferred version: its number, id and birth where it was trained. */
  readonly version: { readonly id: string; readonly number: number; readonly createdAt: string } | null
}

/** Exact contributions need the structure of a model that was trained here. */
export const NO_REASONS = {
  code: 'NO_REASONS',
  message: 'This version was trained elsewhere: its probability cannot be split into shares of features exactly.',
  hint: 'Train a version here for reasons; the importances on the model card say what the version looks at.',
} as const
