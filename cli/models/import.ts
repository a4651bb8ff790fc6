import { randomUUID } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { Command, Option } from 'commander'
import type { Model } from '../../ml/define.ts'
import { importModel } from '../../ml/import/importing.ts'
import { type ImportPlan, parsePlan } from '../../ml/import/plan.ts'
import type { ModelVersion } from '../../ml/model-version.ts'
import { readRival } from '../../ml/rollout/opponent.ts'
import { type Promotion, promotions } from '../../ml/rollout/policy.ts'
import { completeRun } from '../../ml/training.ts'
import { findModel } from '../../ml/training-job.ts'
import { importTransferred } from '../../ml/transfer/transfer.ts'
import { isVersionFile } from '../../ml/transfer/version-file.ts'
import { models } from '../../models/index.ts'
import { InklingError, messageOf } from '../../platform/errors.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { GATE_FAILED } from '../exit-codes.ts'
import { type Ground, openGround } from '../ground.ts'
import { createProgressBar } from '../progress-bar.ts'

interface Options {
  readonly inputs?: string
  readonly golden?: string
  readonly promote: Promotion
  readonly json?: boolean
}

/** `inkling models import churn model.onnx --inputs features.json` */
export function importVersionCommand(): Command {
  return new Command('import')
    .summary('bring a model trained elsewhere (ONNX), or a version of another installation')
    .description(
      'Tries the file in a process of its own, judges it on the rows of this database and registers it as a version like any other.',
    )
    .argument('<model>', 'the model whose question it answers')
    .argument('<file>', 'an ONNX file, or one of `inkling models export`')
    .option('--inputs <file>', 'the plan of an ONNX file: its inputs in order, its output, golden rows (JSON)')
    .option('--golden <file>', 'golden rows, where the plan has none (JSON)')
    .addOption(
      new Option('--promote <when>', 'whether a version that passes its gates serves')
        .choices([...promotions])
        .default('never'),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  inkling models import churn model.onnx --inputs features.json --golden rows.json
  inkling models import churn churn-7.inkling

Exit code 1 when the file is refused, 3 when the version failed a gate.`,
    )
    .action(run)
}

async function run(name: string, path: string, options: Options): Promise<void> {
  const model = findModel(models, name)
  const file = await readSmall(path, 512 * 2 ** 20)
  const ground = await openGround({ quiet: true })
  try {
    const registry = createRegistry(ground.database, ground)
    const result = isVersionFile(file)
      ? { version: await importTransferred(registry, model, file, 'command line'), promoted: false, why: 'imported' }
      : await importOnnx(ground, registry, model, file, options)
    const { version, promoted, why } = result
    if (version.reasons.length > 0) process.exitCode = GATE_FAILED
    const { number, state, reasons, contents } = version
    const summary = { model: name, version: number, state, promoted, why, reasons, metrics: contents.metrics }
    process.stdout.write(options.json ? `${JSON.stringify(summary, null, 2)}\n` : reportOf(version, promoted, why))
  } finally {
    await ground.close()
  }
}

async function importOnnx(ground: Ground, registry: Registry, model: Model, file: Uint8Array, options: Options) {
  const { database, clock, config, learning } = ground
  const plan = await readPlan(options)
  const run = await registry.runs.create({
    id: randomUUID(),
    kind: 'import',
    name: model.name,
    createdBy: 'command line',
  })
  await registry.runs.mark(run.id, 'RUNNING')
  const bar = createProgressBar(`import ${model.name}`)
  try {
    const imported = await importModel(model, {
      file,
      plan,
      client: learning,
      now: clock.now(),
      seed: config.INKLING_SEED,
      rival: () => readRival(registry, model),
      onProgress: ({ done, total, message }) => bar.update(done, total, message),
    })
    bar.stop()
    const who = { promote: options.promote, createdBy: 'command line', runId: run.id }
    return await database.transaction(() => completeRun(registry, imported, who))
  } catch (error) {
    bar.stop()
    await registry.runs.mark(run.id, 'FAILED', { report: { error: { message: messageOf(error) } } })
    throw error
  }
}

async function readPlan({ inputs, golden }: Options): Promise<ImportPlan> {
  if (inputs === undefined)
    throw new InklingError(
      'BAD_USER_INPUT',
      'An ONNX file needs a plan.',
      'Say what its inputs are: --inputs features.json; docs/registry.md shows one.',
    )
  const plan = await readJson(inputs)
  return parsePlan(golden === undefined ? plan : { ...(plan as object), golden: await readJson(golden) })
}

async function readJson(path: string): Promise<unknown> {
  const text = Buffer.from(await readSmall(path, 16 * 2 ** 20)).toString('utf8')
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new InklingError('BAD_USER_INPUT', `${path} is no JSON: ${messageOf(cause)}`, 'Look at it.', { cause })
  }
}

async function readSmall(path: string, most: number): Promise<Uint8Array> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile()) throw new InklingError('NOT_FOUND', `There is no file ${path}.`, 'Look at the path.')
  if (found.size > most)
    throw new InklingError(
      'BAD_USER_INPUT',
      `${path} has ${found.size} bytes; at most ${most} are read.`,
      'Is it the right file?',
    )
  return readFile(path)
}

function reportOf({ name, number, state, reasons, contents }: ModelVersion, promoted: boolean, why: string): string {
  const { auc, logLoss, ece } = contents.metrics
  const figure = (value: number | null | undefined) => value?.toFixed(4) ?? '-'
  const lines = [
    `${name} version ${number}: ${state.toLowerCase()}${promoted ? ', serves' : ''} (${why})`,
    `  auc ${figure(auc)}  log-loss ${figure(logLoss)}  calibration error ${figure(ece)}`,
    ...reasons.map((reason) => `  failed: ${reason}`),
    ...contents.warnings.map((warning) => `  note: ${warning}`),
  ]
  return `${lines.join('\n')}\n`
}
