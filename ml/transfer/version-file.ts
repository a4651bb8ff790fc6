import { z } from 'zod'
import { InklingError } from '../../platform/errors.ts'
import type { ModelVersion } from '../model-version.ts'
import { canonical } from '../receipt/definition.ts'
import { sha256Of } from '../receipt/receipt.ts'

/**
 * A version in one file: a line of JSON that says what follows, the artefacts one after the other, and the sha256 of all that
 * in hex. The same version gives the same bytes.
 */
const FORMAT = 'inkling-version/1'
const END_BYTES = 64
const MOST_BYTES = 512 * 2 ** 20
const MOST_HEAD_BYTES = 32 * 2 ** 20

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const cell = z.number().nullable()
const metrics = z.record(z.string(), z.number().nullable())
const column = z.looseObject({
  name: z.string(),
  kind: z.enum(['number', 'category']),
  levels: z.array(z.string()).optional(),
})

const head = z.strictObject({
  format: z.literal(FORMAT),
  model: z.string().regex(/^[a-z][A-Za-z0-9]{0,62}$/),
  schemaHash: z.string().max(200),
  version: z.strictObject({
    id: z.uuid(),
    number: z.number().int().positive(),
    createdAt: z.iso.datetime(),
    createdBy: z.string().max(200),
    state: z.string().max(40),
    reasons: z.array(z.string()),
  }),
  contents: z.looseObject({
    task: z.literal('binary'),
    entity: z.string(),
    question: z.string(),
    learner: z.string(),
    columns: z.array(column).min(1).max(10_000),
    features: z.array(z.looseObject({ name: z.string(), kind: z.enum(['number', 'category']), says: z.string() })),
    metrics,
    intervals: z.record(z.string(), z.tuple([z.number(), z.number()]).nullable()),
    splits: z.array(z.looseObject({ by: z.string(), train: z.number(), test: z.number(), metrics, baseline: metrics })),
    golden: z.strictObject({ x: z.array(z.array(cell)).min(1).max(1000), y: z.array(z.number()).min(1).max(1000) }),
    statistics: z.array(
      z.looseObject({ feature: z.string(), edges: z.array(z.number()), shares: z.array(z.number()) }),
    ),
    importances: z.array(z.looseObject({ feature: z.string(), gain: z.number(), permutation: z.number().nullable() })),
    slices: z.array(z.looseObject({ column: z.string(), slice: z.string(), rows: z.number() })),
    warnings: z.array(z.string()),
    rows: z.number().int(),
    positives: z.number().int(),
    notApplicable: z.number().int(),
    window: z.looseObject({ from: z.iso.datetime(), to: z.iso.datetime() }),
    receipt: z.looseObject({ rows: hash, definition: hash, code: hash }),
  }),
  artefacts: z
    .array(
      z.strictObject({ role: z.enum(['onnx', 'explainer', 'receipt']), sha256: hash, bytes: z.number().int().min(1) }),
    )
    .min(2)
    .max(3),
})

/** What a file says of itself, checked in form. */
export type VersionHead = z.infer<typeof head>

export interface VersionFile {
  readonly head: VersionHead
  readonly artefacts: ReadonlyMap<string, Uint8Array>
}

/** Kept datasets stay where they are: rows never leave with a version. */
export const TRAVELLING_ROLES = ['onnx', 'explainer', 'receipt'] as const

export function writeVersionFile(version: ModelVersion, artefacts: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const { id, number, createdAt, createdBy, state, reasons, name, schemaHash, contents } = version
  const described = {
    format: FORMAT,
    model: name,
    schemaHash,
    version: { id, number, createdAt: createdAt.toISOString(), createdBy, state, reasons },
    contents,
    artefacts: [...artefacts].map(([role, bytes]) => ({ role, sha256: sha256Of(bytes), bytes: bytes.length })),
  }
  const whole = Buffer.concat([Buffer.from(`${canonical(described)}\n`), ...artefacts.values()])
  return Buffer.concat([whole, Buffer.from(sha256Of(whole))])
}

export function isVersionFile(file: Uint8Array): boolean {
  return Buffer.from(file.subarray(0, 4)).toString('latin1') === '{"ar' // the first key in order: artefacts
}

/** Throws IMPORT_INVALID for a file that is cut, changed, or none of ours. */
export function readVersionFile(file: Uint8Array): VersionFile {
  if (file.length > MOST_BYTES) throw damaged(`it has ${file.length} bytes; at most ${MOST_BYTES} are taken`)
  const whole = file.subarray(0, Math.max(0, file.length - END_BYTES))
  if (Buffer.from(file.subarray(whole.length)).toString('latin1') !== sha256Of(whole))
    throw damaged('its last 64 characters are not the sha256 of what stands before them: it was cut or changed')
  const end = whole.subarray(0, MOST_HEAD_BYTES).indexOf(10)
  const parsed = head.safeParse(parseHead(whole.subarray(0, Math.max(0, end))))
  if (!parsed.success) {
    const [fault] = parsed.error.issues
    throw damaged(`${fault?.path.join('.') || 'its head'}: ${fault?.message ?? 'not understood'}`)
  }
  const artefacts = new Map<string, Uint8Array>()
  let at = end + 1
  for (const { role, sha256, bytes } of parsed.data.artefacts) {
    const taken = whole.slice(at, at + bytes)
    if (taken.length !== bytes || sha256Of(taken) !== sha256)
      throw damaged(`its ${role} does not have the hash it should`)
    if (artefacts.has(role)) throw damaged(`it has two of ${role}`)
    artefacts.set(role, taken)
    at += bytes
  }
  if (at !== whole.length) throw damaged(`${whole.length - at} bytes follow its artefacts`)
  if (!artefacts.has('onnx') || !artefacts.has('explainer')) throw damaged('it has no model')
  checkShapes(parsed.data)
  return { head: parsed.data, artefacts }
}

function parseHead(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(line))
  } catch (cause) {
    throw damaged('its first line is no JSON', cause)
  }
}

function checkShapes({ contents }: VersionHead): void {
  const { columns, golden, features } = contents
  if (golden.x.length !== golden.y.length || golden.x.some((row) => row.length !== columns.length))
    throw damaged('its golden rows have another shape than its columns')
  if (columns.map(({ name }) => name).join() !== features.map(({ name }) => name).join())
    throw damaged('its columns are not its features')
}

function damaged(why: string, cause?: unknown): InklingError {
  return new InklingError(
    'IMPORT_INVALID',
    `The file is no version of Inkling, or a damaged one: ${why}.`,
    'Export the version again: `inkling models export <model>@<number> <file>`.',
    { cause },
  )
}
