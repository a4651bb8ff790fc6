import { Command, Option } from 'commander'
import { createApp } from '../app.ts'
import { type ScoringInput, startScoring } from '../ml/scores/scoring-job.ts'
import { findModel } from '../ml/training-job.ts'
import { models } from '../models/index.ts'
import { localViewer } from '../platform/viewer.ts'
import { openGround } from './ground.ts'
import { createProgressBar } from './progress-bar.ts'
import { parseDuration } from './try/options.ts'

interface Options {
  readonly scope: 'all' | 'changed'
  readonly olderThan?: number
  readonly json?: boolean
}

/** `inkling score <model...>`: stores scores of everyone whom the question is about, here and now. */
export function scoreCommand(): Command {
  return new Command('score')
    .summary('score entities and store the scores')
    .description(
      'Scores every entity that a model asks about and stores the scores, which lists such as learnersByChurn are sorted by.\n' +
        'A scoring is a job: one that is interrupted goes on where it stopped when it is started again by any worker.',
    )
    .argument('[models...]', 'models to score (default: all)')
    .addOption(
      new Option('--scope <scope>', 'whom to score: all, or those whose watched rows changed')
        .choices(['all', 'changed'])
        .default('all'),
    )
    .option('--older-than <duration>', 'only scores that are older, missing or by another version', parseDuration)
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      `
Examples:
  inkling score
  inkling score churn --older-than 6h
  inkling score struggle --scope changed`,
    )
    .action(run)
}

async function run(names: string[], options: Options): Promise<void> {
  const chosen = names.length > 0 ? names.map((name) => findModel(models, name)) : models
  const ground = await openGround({ quiet: true })
  const results: object[] = []
  try {
    const app = await createApp(ground)
    try {
      await app.jobs.start()
      for (const { name } of chosen) {
        const request: ScoringInput = {
          model: name,
          everyone: true, // whoever runs the command runs the installation
          scope: options.scope === 'all' ? 'ALL' : 'CHANGED',
          ...(options.olderThan ? { scoredBefore: new Date(Date.now() - options.olderThan).toISOString() } : {}),
        }
        const { id } = await startScoring(app, request, { viewer: localViewer })
        const bar = createProgressBar(`score ${name}`)
        for await (const { type, data } of app.jobs.events(id))
          if (type === 'PROGRESS') bar.update(Number(data.done), Number(data.total ?? 0), String(data.unit ?? ''))
        bar.stop()
        const job = await app.jobs.ended(id)
        if (job.error) {
          process.exitCode = 1
          process.stderr.write(`inkling: ${name} was not scored: ${job.error.message}\n  ${job.error.hint}\n`)
        }
        results.push({ model: name, jobId: id, state: job.state, ...(job.result as object | null), error: job.error })
        if (!options.json && !job.error) process.stdout.write(`${name}: ${JSON.stringify(job.result)}\n`)
      }
    } finally {
      await app.close()
    }
  } finally {
    await ground.close()
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results.length === 1 ? results[0] : results, null, 2)}\n`)
}
