import { Command, Option } from 'commander'
import { isInklingError } from '../platform/errors.ts'
import { TrainerError } from '../trainer/errors.ts'
import { consoleReport } from './try/console-report.ts'
import { parseDuration, parseNames, parseWhole, type TryOptions } from './try/options.ts'
import { runTry } from './try/run.ts'

/** `inkling try data.csv --label Churn`: trains on any CSV without a database, and says how good that is. */
export function tryCommand(): Command {
  return new Command('try')
    .summary('train on a CSV file and see how good it is, without a database')
    .description(
      'Trains on any CSV file, judges the result on rows it has not seen, and writes model.onnx, report.html and result.json.\n' +
        'Blank, NA, N/A, NaN, null, none and ? are missing. Separator, quotes, encoding and dates are found out; .gz is read too.',
    )
    .argument('<file>', 'CSV file with a header line')
    .requiredOption('--label <column>', 'what to predict')
    .option('--positive <value>', 'the value whose probability is asked (two classes, or one against the rest)')
    .addOption(
      new Option('--task <task>', 'how to read the label (default: found out)').choices([
        'binary',
        'multiclass',
        'regression',
      ]),
    )
    .option('--drop <columns>', 'columns to leave out, by comma', parseNames, [])
    .option('--id <column>', 'column that names rows: left out')
    .option('--group <column>', 'rows of one group never stand on both sides of a split: left out as a feature')
    .option('--time <column>', 'moment of each row: trained before, tested after; left out as a feature')
    .option('--folds <file:column>', 'test fold of each row, in the same order as the data')
    .option('--k <count>', 'folds when none are given; 1 = one hold-out of a fifth', parseWhole(1, 50), 5)
    .option('--budget <duration>', 'time for the search, all folds together', parseDuration, parseDuration('60s'))
    .addOption(
      new Option('--learners <kind>', 'what to compare').choices(['auto', 'linear', 'boosted']).default('auto'),
    )
    .addOption(new Option('--calibration <kind>', 'of probabilities').choices(['platt', 'isotonic']).default('platt'))
    .addOption(
      new Option(
        '--objective <kind>',
        'what an error of a number means (default: squared, for counts poisson)',
      ).choices(['squared', 'absolute', 'poisson']),
    )
    .option('--category <columns>', 'columns to read as categories', parseNames, [])
    .option('--number <columns>', 'columns to read as numbers', parseNames, [])
    .option('--slice <columns>', 'categories whose values get metrics of their own', parseNames)
    .option('--allow-leak <columns>', 'columns that may give the answer away', parseNames, [])
    .option('--seed <number>', 'decides folds, samples and ties', parseWhole(0, 2 ** 31 - 1), 7)
    .option('--threads <count>', 'threads that train (default: the cores, at most 4)', parseWhole(1, 64))
    .option('--out <folder>', 'where to write (default: inkling-try/<name of the file>)')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  inkling try churn.csv --label Churn --positive Yes --id customerID
  inkling try visits.csv --label returned --group patientId --time visitedAt
  inkling try data.csv --label y --folds folds.csv:cv --json

Exit code 0 when a model was trained; 1 with the reason otherwise.`,
    )
    .action(async (file: string, options: TryOptions) => {
      const line = progressLine()
      try {
        const result = await runTry(file, options, line.show)
        line.clear()
        process.stdout.write(
          options.json ? `${JSON.stringify(result, null, 2)}\n` : consoleReport(result, process.stdout.columns),
        )
      } catch (error) {
        line.clear()
        if (!isInklingError(error) && !(error instanceof TrainerError)) throw error
        process.exitCode = 1
        process.stderr.write(
          options.json
            ? `${JSON.stringify({ error: { code: error.code, message: error.message, hint: error.hint } })}\n`
            : `inkling try: ${error.message}\n${error.hint}\n`,
        )
      }
    })
}

/** One line on a terminal that is overwritten; nothing where the output is a file or a pipe. */
function progressLine(): { show: (message: string) => void; clear: () => void } {
  const { stderr } = process
  if (!stderr.isTTY) return { show: () => {}, clear: () => {} }
  let last = 0
  return {
    show: (message) => {
      const now = performance.now()
      if (now - last < 80) return
      last = now
      stderr.write(`\r\x1b[2K${message.slice(0, (stderr.columns ?? 80) - 1)}`)
    },
    clear: () => {
      if (last > 0) stderr.write('\r\x1b[2K')
    },
  }
}
