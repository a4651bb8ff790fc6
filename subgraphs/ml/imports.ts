import { readImportFile } from '../../ml/import/import-folder.ts'
import { startImport } from '../../ml/import/import-job.ts'
import type { ModelVersion } from '../../ml/model-version.ts'
import { sha256Of } from '../../ml/receipt/receipt.ts'
import { promotions } from '../../ml/rollout/policy.ts'
import { findModel } from '../../ml/training-job.ts'
import { exportVersion, importTransferred } from '../../ml/transfer/transfer.ts'
import { isVersionFile } from '../../ml/transfer/version-file.ts'
import { InklingError } from '../../platform/errors.ts'
import type { Run } from '../../registry/runs.ts'
import { withErrors } from '../../schema/errors.ts'
import { parseJson } from '../../schema/text.ts'
import type { ModelRefs } from './models.ts'
import { versionOf } from './rollouts.ts'
import type { MlBuilder } from './subgraph.ts'
import type { TrainingRefs } from './training.ts'

interface Imported {
  readonly run: Run | null
  readonly job: { readonly id: string } | null
  readonly version: ModelVersion | null
}

interface Exported {
  readonly version: ModelVersion
  readonly file: Uint8Array
}

/** Registers the mutations that bring a version from elsewhere and write one for elsewhere. */
export function registerImports(
  builder: MlBuilder,
  { ModelVersionRef }: ModelRefs,
  { JobRef, TrainingRunRef }: TrainingRefs,
  // biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
  resultOf: (payload: any, unionName: string) => any,
  importFolder: string | undefined,
): void {
  const Payload = builder.objectRef<Imported>('ImportVersionPayload').implement({
    description:
      'An ONNX file is judged and registered by a job; a version of another installation is registered at once.',
    fields: (t) => ({
      trainingRun: t.expose('run', {
        type: TrainingRunRef,
        nullable: true,
        description: 'The run that may make a version.',
      }),
      job: t.expose('job', { type: JobRef, nullable: true, description: 'The job: follow it with `jobEvents`.' }),
      modelVersion: t.expose('version', {
        type: ModelVersionRef,
        nullable: true,
        description: 'The version, where it is registered already. Nothing promotes it by itself.',
      }),
    }),
  })
  const Exported = builder.objectRef<Exported>('ExportVersionPayload').implement({
    description: 'A version in one file, as `inkling models export` writes it: the same version gives the same bytes.',
    fields: (t) => ({
      version: t.expose('version', { type: ModelVersionRef, description: 'What was exported.' }),
      content: t.string({
        description: 'The file in base64: the `content` of `importVersion` elsewhere.',
        resolve: ({ file }) => Buffer.from(file).toString('base64'),
      }),
      bytes: t.int({ description: 'Its size, before base64.', resolve: ({ file }) => file.length }),
      sha256: t.string({ description: 'Of the file.', resolve: ({ file }) => sha256Of(file) }),
    }),
  })
  const ExportInput = builder.inputType('ExportVersionInput', {
    description: 'Which version is to travel.',
    fields: (t) => ({
      model: t.string({ required: true, description: "The model's name." }),
      version: t.string({
        required: true,
        description: "The version's id, its number, or an alias that points at it.",
      }),
    }),
  })
  const Promote = builder.enumType('ImportPromotion', {
    description: 'Whether an imported version serves once it passed its gates.',
    values: Object.fromEntries(promotions.map((name) => [name.toUpperCase().replaceAll('-', '_'), { value: name }])),
  })
  const Input = builder.inputType('ImportVersionInput', {
    description: 'Either the file itself or the name of one in the folder that the server may import from.',
    fields: (t) => ({
      model: t.string({ required: true, description: "The model's name." }),
      file: t.string({ description: 'Name of a file in the import folder (INKLING_IMPORT_DIR).' }),
      content: t.string({ description: 'The file in base64, within the limit of a request.' }),
      plan: t.string({
        description: 'Of an ONNX file, as JSON text: its inputs, output and golden rows; docs/registry.md shows one.',
      }),
      promote: t.field({ type: Promote, defaultValue: 'never' as never, description: 'When it serves.' }),
      idempotencyKey: t.string({ description: 'The same key gives the import that was started with it.' }),
    }),
  })
  const failures = ['NotFoundError', 'InvalidInputError', 'TooManyJobsError'] as const
  builder.mutationFields((t) => ({
    importVersion: t.field({
      scopes: ['models:promote'],
      type: resultOf(Payload as never, 'ImportVersionResult'),
      description:
        'Imports a model trained elsewhere (ONNX), or a version of another installation (a file of `inkling models export`). The file is tried in a process of its own before anything is kept.',
      args: { input: t.arg({ type: Input, required: true, description: 'What to import.' }) },
      resolve: (_root, { input }, context) =>
        withErrors(failures, async (): Promise<Imported> => {
          const { engines, viewer } = context
          const model = findModel(engines.models, input.model)
          const file = await fileOf(input, importFolder)
          if (isVersionFile(file)) {
            const version = await importTransferred(engines.registry, model, file, viewer.id)
            return { run: null, job: null, version }
          }
          const { run, jobId } = await startImport(engines, {
            model: model.name,
            file,
            plan: typeof input.plan === 'string' ? parseJson(input.plan) : undefined,
            seed: engines.seed,
            promote: (input.promote as never) ?? 'never',
            viewer,
            idempotencyKey: input.idempotencyKey ?? undefined,
          })
          return { run, job: { id: jobId }, version: null }
        }) as never,
    }),
    exportVersion: t.field({
      scopes: ['models:promote'],
      type: resultOf(Exported as never, 'ExportVersionResult'),
      description: `Writes a version with its artefacts and receipt into one file of at most ${MOST_EXPORTED >> 20} MiB, for another installation. Kept rows never travel.`,
      args: { input: t.arg({ type: ExportInput, required: true, description: 'Which version.' }) },
      resolve: (_root, { input }, context) =>
        withErrors(failures, async (): Promise<Exported> => {
          const version = await versionOf(context, input)
          const file = await exportVersion(context.engines.registry, version)
          if (file.length <= MOST_EXPORTED) return { version, file }
          throw new InklingError(
            'BAD_USER_INPUT',
            `The file of ${version.name} version ${version.number} has ${file.length} bytes; an answer holds ${MOST_EXPORTED}.`,
            `Write it where the server is: \`inkling models export ${version.name}@${version.number} <file>\`.`,
          )
        }) as never,
    }),
  }))
}

/** An answer is held in memory several times over. */
const MOST_EXPORTED = 16 << 20

async function fileOf(
  { file, content }: { readonly file?: string | null | undefined; readonly content?: string | null | undefined },
  folder: string | undefined,
): Promise<Uint8Array> {
  if ((file === null || file === undefined) === (content === null || content === undefined))
    throw new InklingError('BAD_USER_INPUT', 'Give either `file` or `content`.', 'There is no import by URL.')
  if (typeof file === 'string') return readImportFile(folder, file)
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(content!))
    throw new InklingError(
      'BAD_USER_INPUT',
      'The content is no base64.',
      'Encode the bytes of the file: base64 -w0 model.onnx.',
    )
  return Buffer.from(content!, 'base64')
}
