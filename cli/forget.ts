import { Command } from 'commander'
import type { KeyValues } from '../ml/define.ts'
import { forgetPerson } from '../ml/people/forgetting.ts'
import { models } from '../models/index.ts'
import { people } from '../models/people.ts'
import { InklingError } from '../platform/errors.ts'
import { localViewer } from '../platform/viewer.ts'
import { createRegistry } from '../registry/registry.ts'
import { openGround } from './ground.ts'

/** `inkling forget Learner 42`: removes a person for good, with what was derived from that person. */
export function forgetCommand(): Command {
  return new Command('forget')
    .summary('remove a person and what was derived from that person')
    .description(
      'Removes the rows, stored scores, remembered predictions and outcomes of a person in one transaction, and flags\n' +
        'the versions that learned from that person. A key of several fields is written a=1,b=2.',
    )
    .argument('<entity>', `who is a person: ${people.map(({ entity }) => entity).join(', ')}`)
    .argument('<key>', "the person's key")
    .option('--tenant <tenant>', 'whose person it is', localViewer.tenant)
    .option('--json', 'print JSON')
    .action(async (entity: string, key: string, { tenant, json }: { tenant: string; json?: boolean }) => {
      const ground = await openGround({ quiet: true })
      try {
        const { database } = ground
        const engines = { database, registry: createRegistry(database, ground), models, people }
        const forgotten = await forgetPerson(engines, { entity, key: keyOf(entity, key), tenant })
        const { scores, predictions, outcomes, versionIds } = forgotten
        process.stdout.write(
          json
            ? `${JSON.stringify(forgotten)}\n`
            : `removed ${entity} ${key}: ${scores} scores, ${predictions} predictions, ${outcomes} outcomes; ${versionIds.length} versions had learned from it\n`,
        )
      } finally {
        await ground.close()
      }
    })
}

function keyOf(entity: string, text: string): KeyValues {
  const fields = people.find((person) => person.entity === entity)?.key
  if (!fields) return {} // refused by its name
  if (fields.length === 1 && !text.includes('=')) return { [fields[0]!]: text }
  const pairs = text.split(',').map((part) => part.split('='))
  if (pairs.every(([field, value]) => field && value !== undefined)) return Object.fromEntries(pairs)
  throw new InklingError(
    'BAD_USER_INPUT',
    `"${text}" is no key.`,
    `Write ${fields.map((field) => `${field}=...`).join(',')}.`,
  )
}
