import { setFlagsFromString } from 'node:v8'
import { Command, CommanderError } from 'commander'
import { isInklingError, messageOf } from '../platform/errors.ts'
import { version } from './version.ts'

// Node 24 may die ("Check failed: jit_page.has_value()") when a thread ends while another one frees compiled wrappers of
// WebAssembly imports, as Node's own TypeScript loader has them. Wrappers that are never compiled are never freed.
setFlagsFromString('--wasm-wrapper-tiering-budget=2147483647')

// Who reads may leave early (`inkling models | head`): what was begun is finished all the same.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })

const program = new Command('inkling')
  .description(
    'Predictions as fields of your GraphQL API: one TypeScript file per question, trained from the rows of your database.',
  )
  .version(version(), '-V, --version', 'print the version')
  .helpCommand(true)
  .showHelpAfterError('(add --help for more)')
  .addHelpText(
    'after',
    `
Settings come from the environment; \`inkling doctor\` lists them. Exit code 0: done; 1: refused or failed; 2: called wrongly; 3: a trained model failed a gate.`,
  )

const { startCommand } = await import('./start.ts')
const { trainCommand } = await import('./train.ts')
const { scoreCommand } = await import('./score.ts')
const { tryCommand } = await import('./try.ts')
const { verifyCommand } = await import('./verify.ts')
const { modelsCommand } = await import('./models.ts')
const { forgetCommand } = await import('./forget.ts')
const { checkCommand } = await import('./check.ts')
const { importCommand } = await import('./import.ts')
const { seedCommand, resetCommand } = await import('./seed.ts')
const { jobsCommand } = await import('./jobs.ts')
const { schemaCommand } = await import('./schema.ts')
const { doctorCommand } = await import('./doctor.ts')
const { tokenCommand } = await import('./token.ts')

for (const command of [
  startCommand(),
  trainCommand(),
  verifyCommand(),
  scoreCommand(),
  tryCommand(),
  modelsCommand(),
  checkCommand(),
  importCommand(),
  forgetCommand(),
  seedCommand(),
  resetCommand(),
  jobsCommand(),
  schemaCommand(),
  doctorCommand(),
  tokenCommand(),
])
  program.addCommand(command)

program.exitOverride()
for (const command of program.commands) command.exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = report(error)
}

/** One sentence on stderr and the hint; the stack only with LOG_LEVEL=debug. Returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  console.error(`inkling: ${messageOf(error)}`)
  if (isInklingError(error)) console.error(`  ${error.hint}`)
  else if (error instanceof Error) console.error(error.stack?.split('\n').slice(1, 4).join('\n'))
  return 1
}
