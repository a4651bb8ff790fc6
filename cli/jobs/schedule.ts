import { Command, Option } from 'commander'
import { missedPolicies, overlapPolicies } from '../../jobs/schedule.ts'
import { parseWhole } from '../try/options.ts'
import { type Graph, withGraph } from './graph.ts'
import {
  changeSchedule,
  createSchedule,
  findSchedule,
  listSchedules,
  parseJson,
  previewRuns,
  printMoments,
  printSchedule,
  printSchedules,
  type ScheduleRow,
  triggerSchedule,
} from './schedules.ts'

interface Json {
  readonly json?: boolean
}
interface CreateOptions extends Json {
  readonly cron: string
  readonly zone: string
  readonly input: unknown
  readonly missed: string
  readonly overlap: string
}

/** `inkling jobs schedule`: jobs that are started again and again. */
export function scheduleCommand(): Command {
  const command = new Command('schedule')
    .summary('start jobs again and again')
    .description(
      'Lists, makes, pauses, resumes, triggers and deletes schedules. A schedule is given by its name or its id.',
    )
  const withJson = (name: string, says: string) =>
    command.command(name).description(says).option('--json', 'print JSON')

  withJson('list', 'Lists schedules with their next runs.').action(({ json }: Json) =>
    withGraph(async (graph) => print(await listSchedules(graph), json, printSchedules)),
  )
  withJson('show', 'Shows one schedule.')
    .argument('<schedule>')
    .action((given: string, { json }: Json) =>
      withGraph(async (graph) => print(await findSchedule(graph, given), json, printSchedule)),
    )
  withJson('create', 'Makes a schedule.')
    .argument('<name>', 'what to call it')
    .argument('<kind>', 'the kind of its jobs, such as score')
    .requiredOption('--cron <expression>', 'when: cron, such as "0 3 * * *", or a rule, such as "FREQ=WEEKLY;BYDAY=MO"')
    .option('--zone <name>', 'the clock it goes by, such as Europe/Berlin', 'UTC')
    .option('--input <json>', 'what its jobs are given', parseJson, {})
    .addOption(
      new Option('--missed <policy>', 'runs that nobody was there to start').choices(missedPolicies).default('ONCE'),
    )
    .addOption(
      new Option('--overlap <policy>', 'runs whose predecessor is not over').choices(overlapPolicies).default('SKIP'),
    )
    .addHelpText(
      'after',
      `
Example:
  inkling jobs schedule create nightly score --cron "0 3 * * *" --zone Europe/Berlin --input '{"model":"churn"}'`,
    )
    .action((name: string, kind: string, { cron, zone, input, missed, overlap, json }: CreateOptions) =>
      withGraph(async (graph) => {
        const wanted = { name, kind, input: JSON.stringify(input), expression: cron, timeZone: zone, missed, overlap }
        print(await createSchedule(graph, wanted), json, printSchedule)
      }),
    )
  const changes = {
    pause: ['pauseSchedule', 'Lets it start nothing by itself; its jobs that run go on.'],
    resume: ['resumeSchedule', 'Goes on with the next run from now.'],
    delete: ['deleteSchedule', 'Deletes it; its jobs stay.'],
  } as const
  for (const [name, [verb, says]] of Object.entries(changes))
    withJson(name, says)
      .argument('<schedule>')
      .action((given: string, { json }: Json) =>
        withGraph(async (graph) => print(await changeSchedule(graph, verb, given), json, printSchedule)),
      )
  withJson('trigger', 'Starts a job now, also of a paused schedule.')
    .argument('<schedule>')
    .action((given: string, { json }: Json) =>
      withGraph(async (graph) =>
        print(await triggerSchedule(graph, given), json, ({ id, state }) => `${id}  ${state}\n`),
      ),
    )
  withJson('preview', 'Shows when a rule would run, before anything is scheduled by it.')
    .argument('<expression>', 'cron or a rule')
    .option('--zone <name>', 'the clock it goes by', 'UTC')
    .option('--first <number>', 'how many runs', parseWhole(1, 25), 5)
    .action((expression: string, { zone, first, json }: { zone: string; first: number } & Json) =>
      withGraph(async (graph: Graph) => {
        const runs = await previewRuns(graph, expression, zone, first)
        print(runs, json, (moments) =>
          printMoments(moments, zone)
            .map((line) => `${line}\n`)
            .join(''),
        )
      }),
    )
  return command
}

function print<Value extends ScheduleRow | object>(
  value: Value,
  json: boolean | undefined,
  draw: (value: Value) => string,
) {
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : draw(value))
}
