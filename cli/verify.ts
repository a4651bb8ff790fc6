import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { parseReceipt } from '../ml/receipt/receipt.ts'
import { type Verification, verifyReceipt } from '../ml/receipt/verification.ts'
import { models } from '../models/index.ts'
import { InklingError } from '../platform/errors.ts'
import { createRegistry } from '../registry/registry.ts'
import { openGround } from './ground.ts'
import { createProgressBar } from './progress-bar.ts'

/** `inkling verify receipt.json`: repeats a training and says whether it comes out the same. */
export function verifyCommand(): Command {
  return new Command('verify')
    .summary('repeat a training from its receipt and say whether it comes out the same')
    .description(
      'Repeats the training from the rows kept with the version, or from the database as it was known then; with the recorded\n' +
        'settings and without the clock. Names what differs: rows, definition, code, artefact or metrics.',
    )
    .argument('<receipt>', 'file written by `inkling train <model> --receipt` or `inkling models <model> --receipt`')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Examples:
  inkling train churn --receipt receipt.json
  inkling verify receipt.json

Exit code 0 when everything is equal, 1 when something differs.`,
    )
    .action(run)
}

async function run(path: string, options: { readonly json?: boolean }): Promise<void> {
  const receipt = parseReceipt(await readText(path), path)
  const ground = await openGround({ quiet: true })
  const bar = createProgressBar(`verify ${receipt.model}`)
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  try {
    const verification = await verifyReceipt({
      receipt,
      model: models.find(({ name }) => name === receipt.model) ?? null,
      registry: createRegistry(ground.database, ground),
      client: ground.learning,
      signal: stop.signal,
      onProgress: ({ done, total, message }) => bar.update(done, total, message),
    })
    bar.stop()
    process.stdout.write(options.json ? `${JSON.stringify(verification, null, 2)}\n` : describe(verification))
    if (!verification.isEqual) process.exitCode = 1
  } finally {
    bar.stop()
    process.off('SIGINT', interrupt)
    await ground.close()
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new InklingError('BAD_USER_INPUT', `${path} cannot be read.`, 'Give the path of a receipt.', { cause })
  }
}

function describe({ model, version, isEqual, differences, notes, rowsFrom }: Verification): string {
  const name = version === null ? model : `${model} version ${version}`
  const from = rowsFrom === null ? 'no rows' : `rows from the ${rowsFrom}`
  const lines = isEqual
    ? [`${name}: equal. Rows, definition, code, artefact and metrics are as recorded (${from}).`]
    : [`${name}: differs (${from})`, ...differences.map(({ part, says }) => `  ${part}: ${says}`)]
  return `${[...lines, ...notes.map((note) => `  note: ${note}`)].join('\n')}\n`
}
