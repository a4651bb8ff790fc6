import { Command } from 'commander'
import { pruneArtefacts } from '../../registry/artefacts.ts'
import { openGround } from '../ground.ts'
import { parseDuration } from '../try/options.ts'

/** `inkling models prune`: what crashes and refused imports left behind. */
export function pruneCommand(): Command {
  return new Command('prune')
    .summary('remove artefact bytes that no version needs')
    .description(
      'Removes artefacts of which no version knows, and bytes in the artefact store without a row. What is younger than a day may be on its way to a version and stays.',
    )
    .option('--older-than <duration>', 'only what is older than this', parseDuration, 86_400_000)
    .option('--json', 'print the counts as JSON')
    .action(async ({ olderThan, json }: { olderThan: number; json?: boolean }) => {
      const ground = await openGround({ quiet: true })
      try {
        const pruned = await pruneArtefacts(ground.database, ground.artefacts, new Date(Date.now() - olderThan))
        process.stdout.write(
          json
            ? `${JSON.stringify(pruned)}\n`
            : `removed ${pruned.rows} artefacts without a version and ${pruned.bytes} files without an artefact\n`,
        )
      } finally {
        await ground.close()
      }
    })
}
