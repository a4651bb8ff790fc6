import { randomUUID } from 'node:crypto'
import { Command, Option } from 'commander'
import type { Model } from '../ml/define.ts'
import { MODEL_KIND, type ModelContents } from '../ml/model-version.ts'
import { serialiseReceipt } from '../ml/receipt/receipt.ts'
import { readRival } from '../ml/rollout/opponent.ts'
import { type Promotion, promotions } from '../ml/rollout/policy.ts'
import { type ContinueFrom, completeRun, type TrainingOutcome, trainVersion } from '../ml/training.ts'
import { findModel } from '../ml/training-job.ts'
import { models } from '../models/index.ts'
import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import { createRegistry, type Registry } from '../registry/registry.ts'
import { GATE_FAILED } from './exit-codes.ts'
import { type Ground, openGround } from './ground.ts'
import { checkOutput, writeOutput } from './output-file.ts'
import { createProgressBar } from './progress-bar.ts'
import { trainingReport } from './training-report.ts'
import { parseDuration, parseNames, parseWhole } from './try/options.ts'

interface Options {
  readonly json?: boolean
  readonly seed?: number
  readonly budget: number
  readonly quick?: boolean
  readonly promote: Promotion
  readonly allowLeak: string[]
  readonly continue?: number
  readonly receipt?: string
  readonly keepDataset?: boolean
}

/** `inkling train <model...>`: trains here and now, without a running server. */
export function trainCommand(): Command {
  return new Command('train')
    .summary('train models from the rows of the database and let them serve')
    .description('Reads labels and features as of each moment, trains, verifies, registers a version and promotes it.')
    .argument('[models...]', 'models to train (default: all)')
    .option('--seed <number>', 'decides folds, samples and ties (default: INKLING_SEED)', parseWhole(0, 2 ** 31 - 1))
    .option('--budget <duration>', 'time for the search of each model', parseDuration, 60_000)
    .option('--quick', 'compare a small fixed set of candidates instead of searching')
    .addOption(
      new Option('--promote <when>', 'whether a version that passes its gates serves')
        .choices([...promotions])
        .default('always'),
    )
    .option('--allow-leak <features>', 'features that may give the answer away, by comma', parseNames, [])
    .option('--continue <version>', 'add trees to this version instead of starting anew', parseWhole(1, 2 ** 31 - 1))
    .option('--receipt <file>', 'write the receipt, from which `inkling verify` repeats the training')
    .option('--keep-dataset', 'keep the rows with the version: it can be verified when the database has moved on')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      `
Examples:
  inkling train
  inkling train struggle --budget 2m
  inkling train churn --quick --json
  inkling train churn --continue 3 --receipt receipt.json

  inkling train churn --seed 7 --promote if-better

Exit code 1 when a model was not trained, else 3 when one failed a gate; the others are trained all the same.
--promote if-better: only one that is surely not worse than the champion on the same hold-out rows;
after-approval: it waits until somebody approves it (the mutation approveVersion).`,
    )
    .action(run)
}

async function run(names: string[], options: Options): Promise<void> {
  const chosen = names.length > 0 ? names.map((name) => findModel(models, name)) : models
  for (const option of ['continue', 'receipt'] as const)
    if (options[option] !== undefined && chosen.length !== 1)
      throw new InklingError(
        'BAD_USER_INPUT',
        `--${option} is about one model, not ${chosen.length}.`,
        'Name the model.',
      )
  const features = new Set(chosen.flatMap((model) => model.features.map(({ name }) => name)))
  for (const leak of options.allowLeak)
    if (!features.has(leak))
      throw new InklingError(
        'BAD_USER_INPUT',
        `--allow-leak: there is no feature "${leak}".`,
        `Features: ${[...features].join(', ')}.`,
      )
  if (options.receipt !== undefined) await checkOutput(options.receipt)
  const ground = await openGround({ quiet: true })
  const results: object[] = []
  try {
    for (const model of chosen) results.push(await trainOne(ground, model, options))
  } finally {
    await ground.close()
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results.length === 1 ? results[0] : results, null, 2)}\n`)
}

async function trainOne(ground: Ground, model: Model, options: Options): Promise<object> {
  const { database, config, clock, learning } = ground
  const registry = createRegistry(database, ground)
  const run = await registry.runs.create({
    id: randomUUID(),
    kind: 'training',
    name: model.name,
    createdBy: 'command line',
  })
  await registry.runs.mark(run.id, 'RUNNING')
  const bar = createProgressBar(`train ${model.name}`)
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.on('SIGINT', interrupt)
  try {
    const trained = await trainVersion(model, {
      client: learning,
      now: clock.now(),
      seed: options.seed ?? config.INKLING_SEED,
      candidates: options.quick ? 'quick' : 'full',
      budgetMs: options.budget,
      allowLeaks: options.allowLeak,
      ...(options.continue === undefined ? {} : { continueFrom: await earlier(registry, model, options.continue) }),
      ...(options.keepDataset ? { keepDataset: true } : {}),
      rival: () => readRival(registry, model),
      signal: stop.signal,
      onProgress: ({ done, total, message }) => bar.update(done, total, message),
    })
    bar.stop()
    const who = { promote: options.promote, createdBy: 'command line', runId: run.id }
    const outcome = await database.transaction(() => completeRun(registry, trained, who))
    if (options.receipt !== undefined) await writeOutput(options.receipt, serialiseReceipt(trained.receipt))
    if (!options.json) process.stdout.write(trainingReport(outcome))
    if (outcome.reasons.length > 0) process.exitCode ??= GATE_FAILED
    return resultOf(outcome)
  } catch (error) {
    bar.stop()
    const state = stop.signal.aborted ? 'CANCELLED' : 'FAILED'
    const failure = { code: isInklingError(error) ? error.code : 'INTERNAL', message: messageOf(error) }
    await registry.runs.mark(run.id, state, { report: { error: failure } })
    if (!isInklingError(error)) throw error
    process.exitCode = 1 // over a failed gate, too
    process.stderr.write(`inkling: ${error.message}\n  ${error.hint}\n`)
    return { model: model.name, error: { ...failure, hint: error.hint } }
  } finally {
    process.off('SIGINT', interrupt)
  }
}

/** Throws NOT_FOUND. */
async function earlier(registry: Registry, model: Model, number: number): Promise<ContinueFrom> {
  const id = await registry.find(MODEL_KIND, model.name, number)
  if (id) {
    const version = await registry.version<ModelContents>(id)
    const until = new Date(version.contents.window.to)
    return { version: number, explainer: await registry.artefact(version, 'explainer'), until }
  }
  throw new InklingError(
    'NOT_FOUND',
    `${model.name} has no version ${number} to go on from.`,
    `List its versions: \`inkling models ${model.name}\`.`,
  )
}

function resultOf({ model, version, promoted, why, reasons }: TrainingOutcome): object {
  const { gates, comparison, metrics, splits, slices, learner, leaderboard, rows, positives, window, warnings, seed } =
    version.contents
  return {
    model,
    version: version.number,
    versionId: version.id,
    promoted,
    why,
    reasons,
    gates,
    comparison,
    metrics,
    splits,
    slices,
    learner,
    leaderboard,
    rows,
    positives,
    window,
    warnings,
    seed,
  }
}
