import { Command, Option } from 'commander'
import { cardOfVersion } from '../../ml/card/version-card.ts'
import { models } from '../../models/index.ts'
import { createRegistry } from '../../registry/registry.ts'
import { openGround } from '../ground.ts'
import { writeOutput } from '../output-file.ts'
import { findVersion } from './version-name.ts'

/** `inkling models card churn@7 --format html` */
export function cardCommand(): Command {
  return new Command('card')
    .summary("write a version's model card")
    .description(
      'Data, metrics with intervals, calibration, importances, slices, gates, limits and provenance of a version.',
    )
    .argument('<version>', 'such as churn@7, churn@challenger, or churn for the one that serves')
    .addOption(new Option('--format <format>', 'Markdown, or a page with plots').choices(['md', 'html']).default('md'))
    .option('--output <file>', 'write it there instead of printing it')
    .action(async (name: string, { format, output }: { format: 'md' | 'html'; output?: string }) => {
      const ground = await openGround({ quiet: true })
      try {
        const registry = createRegistry(ground.database, ground)
        const { version } = await findVersion(registry, name)
        const card = await cardOfVersion(registry, models, version, format === 'html' ? 'HTML' : 'MARKDOWN')
        if (output === undefined) process.stdout.write(card)
        else await writeOutput(output, card)
      } finally {
        await ground.close()
      }
    })
}
