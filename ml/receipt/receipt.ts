import { createHash } from 'node:crypto'
import { z } from 'zod'
import { InklingError } from '../../platform/errors.ts'
import type { Artefact } from '../../trainer/artefact.ts'
import type { Choice } from '../../trainer/options.ts'
import type { CodeProof, Environment } from './code.ts'
import type { DefinitionProof } from './definition.ts'
import type { RowsProof } from './rows.ts'

/** The version whose trees a training went on from. */
export interface Continued {
  readonly version: number
  /** sha256 of its explainer. */
  readonly explainer: string
  /** The last moment it was trained on. */
  readonly until: string
}

/** All that it takes to repeat a training and to say whether it came out the same. Holds no values of rows. */
export interface Receipt {
  readonly format: 'inkling-receipt/1'
  readonly model: string
  readonly rows: RowsProof
  /** The data's clock at the extraction: rows are read again as they were known then. */
  readonly extractedAt: string
  readonly definition: DefinitionProof
  readonly code: CodeProof
  readonly environment: Environment
  readonly seed: number
  /** What the search decided; a repetition follows it without the clock. */
  readonly choice: Choice
  readonly continued: Continued | null
  /** Of the main hold-out. */
  readonly metrics: Artefact['metrics']
  readonly splits: readonly Pick<Artefact['splits'][number], 'by' | 'metrics'>[]
  /** Role -> sha256: onnx, explainer, and dataset where it was kept. */
  readonly artefacts: Readonly<Record<string, string>>
}

export const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

export function serialiseReceipt(receipt: Receipt): string {
  return `${JSON.stringify(receipt, null, 2)}\n`
}

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const metrics = z.record(z.string(), z.number().nullable())
const splitBy = z.enum(['stratified', 'group', 'time', 'time+group'])

const format = z.object({
  format: z.literal('inkling-receipt/1'),
  model: z.string(),
  rows: z.object({
    sha256: hash,
    n: z.number().int().min(0),
    columns: z.record(z.string(), hash),
    labels: hash,
    groups: hash.nullable(),
    times: hash.nullable(),
  }),
  extractedAt: z.iso.datetime(),
  definition: z.object({
    sha256: hash,
    entity: z.string(),
    schemaHash: z.string(),
    features: z.array(z.looseObject({ name: z.string(), kind: z.enum(['number', 'category']) })),
    labels: hash.nullable(),
    settings: z.object({
      splits: z.array(splitBy).optional(),
      slices: z.array(z.string()).optional(),
      lastKnown: z.string().optional(),
      costs: z.object({ falsePositive: z.number(), falseNegative: z.number() }).optional(),
      threshold: z.number().optional(),
      calibration: z.enum(['platt', 'isotonic']).optional(),
      allowLeaks: z.array(z.string()).optional(),
    }),
  }),
  code: z.object({ version: z.string(), sha256: hash, files: z.record(z.string(), z.string()) }),
  environment: z.object({ node: z.string(), platform: z.string(), arch: z.string(), onnxruntime: z.string() }),
  seed: z.number().int().min(0),
  choice: z.object({
    linear: z.record(z.string(), z.unknown()).nullable(),
    boosted: z.record(z.string(), z.unknown()).nullable(),
    linearShare: z.number().min(0).max(1),
    folds: z.number().int().min(2),
  }),
  continued: z.object({ version: z.number().int(), explainer: hash, until: z.iso.datetime() }).nullable(),
  metrics,
  splits: z.array(z.object({ by: splitBy, metrics })),
  artefacts: z.looseObject({ onnx: hash, explainer: hash, dataset: hash.optional() }),
})

/** Throws BAD_USER_INPUT that names the first field which is not as a receipt has it. */
export function parseReceipt(text: string, from: string): Receipt {
  const refuse = (message: string, cause?: unknown) =>
    new InklingError(
      'BAD_USER_INPUT',
      `${from} is no receipt: ${message}.`,
      'Write one with `inkling train <model> --receipt receipt.json` or `inkling models <model> --receipt`.',
      { cause },
    )
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw refuse('it is not JSON', cause)
  }
  const parsed = format.safeParse(content)
  if (parsed.success) return parsed.data as unknown as Receipt
  const [fault] = parsed.error.issues
  throw refuse(`${fault?.path.join('.') || 'the whole'}: ${fault?.message ?? 'not understood'}`, parsed.error)
}
