import { Command } from 'commander'
import { describeGraph, staleContracts, writeContracts } from '../contracts.ts'

/** `inkling schema`: the contracts in schema/sdl. */
export function schemaCommand(): Command {
  const command = new Command('schema').summary('print the graph’s contracts, or check that they are current')
  command
    .command('print')
    .description('Writes the SDL of every subgraph and of the supergraph to schema/sdl.')
    .option('--json', 'print the names of the files as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const written = writeContracts(await describeGraph())
      process.stdout.write(json ? `${JSON.stringify({ written })}\n` : `${written.join('\n')}\n`)
    })
  command
    .command('check')
    .description('Exit code 1 when a file in schema/sdl is not what the code says.')
    .option('--json', 'print the names of stale files as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const stale = staleContracts(await describeGraph())
      if (json) process.stdout.write(`${JSON.stringify({ stale })}\n`)
      for (const file of stale) process.stderr.write(`inkling: ${file} is not current: run \`inkling schema print\`\n`)
      process.exitCode = stale.length > 0 ? 1 : 0
    })
  return command
}
