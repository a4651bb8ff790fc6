import { Command } from 'commander'
import { sha256Of } from '../../ml/receipt/receipt.ts'
import { exportVersion } from '../../ml/transfer/transfer.ts'
import { createRegistry } from '../../registry/registry.ts'
import { openGround } from '../ground.ts'
import { writeOutput } from '../output-file.ts'
import { findVersion } from './version-name.ts'

/** `inkling models export churn@7 churn-7.inkling` */
export function exportCommand(): Command {
  return new Command('export')
    .summary('write a version into one file, for another installation')
    .description(
      'Writes a version with its artefacts and receipt into one file that proves itself. The same version gives the same bytes; kept rows stay here.',
    )
    .argument('<version>', 'such as churn@7, churn@challenger, or churn for the one that serves')
    .argument('<file>', 'to write')
    .option('--json', 'print the result as JSON')
    .action(async (name: string, path: string, { json }: { json?: boolean }) => {
      const ground = await openGround({ quiet: true })
      try {
        const registry = createRegistry(ground.database, ground)
        const { model, version } = await findVersion(registry, name)
        const file = await exportVersion(registry, version)
        await writeOutput(path, file)
        const result = {
          model: model.name,
          version: version.number,
          file: path,
          bytes: file.length,
          sha256: sha256Of(file),
        }
        process.stdout.write(
          json
            ? `${JSON.stringify(result, null, 2)}\n`
            : `${model.name} version ${version.number}: ${file.length} bytes in ${path}\n  sha256 ${result.sha256}\n`,
        )
      } finally {
        await ground.close()
      }
    })
}
