import { Command, InvalidArgumentError } from 'commander'
import { importOulad, type OuladImport } from '../prisma/learning/import/oulad/oulad.ts'
import { openGround } from './ground.ts'
import { createProgressBar } from './progress-bar.ts'

interface Options {
  readonly now?: Date
  readonly json?: boolean
}

/** `inkling import oulad <folder>`: real rows for the learning domain. */
export function importCommand(): Command {
  const oulad = new Command('oulad')
    .summary('the Open University Learning Analytics tables')
    .description(
      'Imports courses.csv, assessments.csv, studentInfo.csv, studentRegistration.csv, studentAssessment.csv and, where it is\n' +
        'there, vle_pre_course_clicks.csv. All or nothing: a bad line is named and nothing is kept. A second run changes nothing.\n' +
        'A simulated school makes room. The data ends in 2015, so the clock of the data is set to its last day.',
    )
    .argument('<folder>', 'folder with the tables')
    .option('--now <moment>', 'set the clock of the data to this day or instant instead (2014-03-01)', parseMoment)
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      `
Examples:
  inkling import oulad ../shared/data/oulad
  inkling import oulad ../shared/data/oulad --now 2014-03-01`,
    )
    .exitOverride()
    .action(run)
  return new Command('import').summary('import real rows').description('Imports real rows.').addCommand(oulad)
}

async function run(folder: string, options: Options): Promise<void> {
  const ground = await openGround({ quiet: true })
  const bar = createProgressBar('import')
  const startedAt = performance.now()
  try {
    const imported = await importOulad(ground.database, folder, {
      ...(options.now ? { now: options.now } : {}),
      onProgress: ({ done, total, message }) => bar.update(done, total, message),
    })
    bar.stop()
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10
    process.stdout.write(
      options.json ? `${JSON.stringify({ ...imported, seconds }, null, 2)}\n` : report(imported, seconds),
    )
  } finally {
    bar.stop()
    await ground.close()
  }
}

function report({ folder, now, rows, withdrawn, replaced }: OuladImport, seconds: number): string {
  const lines = Object.entries(rows).map(([table, { inserted, updated, unchanged }]) =>
    [table.padEnd(14), ...[inserted, updated, unchanged].map((count) => count.toLocaleString('en').padStart(10))].join(
      '',
    ),
  )
  return [
    ...(replaced?.source === 'simulated'
      ? [
          `The simulated school of seed ${replaced.seed} made room; \`inkling reset\` and \`inkling seed\` bring it back.`,
        ]
      : []),
    `Imported ${folder} in ${seconds} s.`,
    '',
    `${''.padEnd(14)}${['new', 'changed', 'as before'].map((title) => title.padStart(10)).join('')}`,
    ...lines,
    '',
    `${withdrawn.toLocaleString('en')} enrolments were withdrawn from. The clock of the data stands at ${now}.`,
    'Next: inkling train struggle withdrawal',
    '',
  ].join('\n')
}

/** A day means its end, so that all of it has happened. */
function parseMoment(text: string): Date {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const moment = new Date(isDay ? `${text}T23:59:59.999Z` : text)
  const isReal = !Number.isNaN(moment.getTime()) && (!isDay || moment.toISOString().startsWith(text))
  if (!isReal || !/^\d{4}-\d{2}-\d{2}/.test(text))
    throw new InvalidArgumentError('Expected a day such as 2014-03-01 or an instant such as 2014-03-01T12:00:00Z.')
  return moment
}
