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

/** Every command by its name, in the order of the help. Loaded on its own, a command begins in half the time. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./start.ts')).startCommand(),
  train: async () => (await import('./train.ts')).trainCommand(),
  verify: async () => (await import('./verify.ts')).verifyCommand(),
  score: async () => (await import('./score.ts')).scoreCommand(),
  try: async () => (await import('./try.ts')).tryCommand(),
  models: async () => (await import('./models.ts')).modelsCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  import: async () => (await import('./import.ts')).importCommand(),
  forget: async () => (await import('./forget.ts')).forgetCommand(),
  seed: async () => (await import('./seed.ts')).seedCommand(),
  reset: async () => (await import('./seed.ts')).resetCommand(),
  jobs: async () => (await import('./jobs.ts')).jobsCommand(),
  schema: async () => (await import('./schema.ts')).schemaCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  token: async () => (await import('./token.ts')).tokenCommand(),
}
const named = process.argv[2] ?? ''
for (const load of Object.hasOwn(commands, named) ? [commands[named]!] : Object.values(commands))
  program.addCommand(await load())

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
