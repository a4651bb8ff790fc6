import { Command } from 'commander'
import { CHAMPION, MODEL_KIND, type ModelContents } from '../ml/model-version.ts'
import { findModel } from '../ml/training-job.ts'
import { models } from '../models/index.ts'
import { createRegistry, type Registry } from '../registry/registry.ts'
import { openGround } from './ground.ts'
import { cardCommand } from './models/card.ts'
import { diffCommand } from './models/diff.ts'
import { exportCommand } from './models/export.ts'
import { importVersionCommand } from './models/import.ts'
import { aliasCommand, approveCommand, promoteCommand, rollbackCommand } from './models/moving.ts'
import { pruneCommand } from './models/prune.ts'
import { showCommand } from './models/show.ts'
import { printReceipt } from './receipt.ts'

/** `inkling models`: what is defined, what was trained, what serves, and how that is changed. */
export function modelsCommand(): Command {
  const command = new Command('models')
    .summary('list models and their versions, compare them, and decide which one serves')
    .description('Without a command: lists every model with its versions, newest first; the one marked * serves.')
    .addHelpText(
      'after',
      `
Examples:
  inkling models
  inkling models show churn 3
  inkling models diff churn 3 champion
  inkling models promote churn 4 --expected 3 --reason "better on the holidays"
  inkling models rollback churn
  inkling models alias churn shadow 4
  inkling models export churn@4 churn-4.inkling
  inkling models card churn@4 --format html --output churn-4.html`,
    )
  command.addCommand(listCommand(), { isDefault: true })
  for (const other of [
    showCommand(),
    diffCommand(),
    promoteCommand(),
    rollbackCommand(),
    aliasCommand(),
    approveCommand(),
    importVersionCommand(),
    exportCommand(),
    pruneCommand(),
    cardCommand(),
  ])
    command.addCommand(other)
  for (const other of command.commands) other.exitOverride()
  return command
}

function listCommand(): Command {
  return new Command('list')
    .summary('list models and their versions')
    .description('Lists every model with its versions, newest first; the one marked * serves.')
    .argument('[model]', 'only this one')
    .option('--receipt [version]', 'print the receipt of the version that serves, or of this one, for `inkling verify`')
    .option('--json', 'print JSON')
    .action(async (name: string | undefined, options: { json?: boolean; receipt?: string | true }) => {
      if (options.receipt !== undefined) return printReceipt(name, options.receipt)
      const chosen = name ? [findModel(models, name)] : models
      const ground = await openGround({ quiet: true })
      try {
        const registry = createRegistry(ground.database, ground)
        const rows = await Promise.all(chosen.map((model) => describe(registry, model.name, model.question)))
        process.stdout.write(options.json ? `${JSON.stringify(rows, null, 2)}\n` : rows.map(print).join(''))
      } finally {
        await ground.close()
      }
    })
}

async function describe(registry: Registry, model: string, question: string) {
  const versions = await registry.list<ModelContents>(MODEL_KIND, model)
  const pointed = new Map<string, string | null>()
  for (const { alias, toId } of await registry.moves(MODEL_KIND, model)) pointed.set(alias, toId)
  return {
    model,
    question,
    versions: versions.map(({ id, number, state, reasons, createdAt, contents }) => ({
      id,
      number,
      state,
      reasons,
      createdAt,
      serves: id === pointed.get(CHAMPION),
      aliases: [...pointed].filter(([, toId]) => toId === id).map(([alias]) => alias),
      learner: contents.learner,
      rows: contents.rows,
      metrics: contents.metrics,
    })),
  }
}

function print({ model, question, versions }: Awaited<ReturnType<typeof describe>>): string {
  const lines = versions.map(({ number, state, createdAt, serves, aliases, rows, metrics, learner }) => {
    const auc = metrics.auc?.toFixed(4) ?? '-'
    const others = aliases.filter((alias) => alias !== CHAMPION)
    return `  ${serves ? '*' : ' '} ${String(number).padStart(3)}  ${createdAt.toISOString().slice(0, 16)}  ${state.padEnd(11)} auc ${auc}  ${rows} rows  ${learner}${others.length > 0 ? `  (${others.join(', ')})` : ''}`
  })
  return `${model}: ${question}\n${lines.length > 0 ? lines.join('\n') : `    no version yet: inkling train ${model}`}\n`
}
