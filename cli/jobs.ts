import { Command } from 'commander'
import { withGraph } from './jobs/graph.ts'
import { cancelJob, findJob, listJobs, readArtifact, redriveJobs, retryJob } from './jobs/operations.ts'
import { type JobRow, printJob, printList } from './jobs/print.ts'
import { scheduleCommand } from './jobs/schedule.ts'
import { watchJobs } from './jobs/watch.ts'
import { parseWhole } from './try/options.ts'

interface Json {
  readonly json?: boolean
}

/** `inkling jobs`: what runs, what ran, and the way to stop it. Asks the running server, or the database where none runs. */
export function jobsCommand(): Command {
  const command = new Command('jobs').summary('list, watch, cancel, retry and schedule jobs').description(
    `Lists, watches, cancels, retries and schedules jobs such as training runs. Asks the server on HOST and PORT; where none runs, or
DATABASE_URL is set, the database itself. An id may be shortened to its first characters.`,
  )
  command
    .command('list')
    .description('Lists jobs, newest first.')
    .option('--state <states...>', 'only in these states, such as RUNNING FAILED')
    .option('--kind <kinds...>', 'only of these kinds')
    .option('--first <number>', 'at most so many', parseWhole(0, 1000), 20)
    .option('--json', 'print JSON')
    .action(({ state, kind, first, json }: { state?: string[]; kind?: string[]; first: number } & Json) =>
      withGraph(async (graph) => {
        const where = { states: state?.map((name) => name.toUpperCase()), kinds: kind }
        const jobs = await listJobs(graph, where, first)
        print(jobs, json, printList)
      }),
    )
  command
    .command('show')
    .description('Shows one job with its attempts and the end of its log.')
    .argument('<id>')
    .option('--json', 'print JSON')
    .action((id: string, { json }: Json) => withGraph(async (graph) => print(await findJob(graph, id), json, printJob)))
  command
    .command('watch')
    .description('Follows jobs until they are over: bars, rates and the time left. Ctrl-C leaves them running.')
    .argument('[ids...]', 'default: the newest job that is not over')
    .option('--all', 'all jobs that are not over, up to 40')
    .action((ids: string[], { all }: { all?: boolean }) =>
      withGraph(async (graph) => {
        const jobs = await watchJobs(graph, ids, all ?? false)
        process.exitCode = jobs.every(({ state }) => state === 'SUCCEEDED') ? 0 : 1
      }),
    )
  command
    .command('cancel')
    .description('Stops a job and its children. What its steps have committed stays.')
    .argument('<id>')
    .option('--reason <text>', 'shown with the job')
    .option('--json', 'print JSON')
    .action((id: string, { reason, json }: { reason?: string } & Json) =>
      withGraph(async (graph) => print(await cancelJob(graph, id, reason), json, printJob)),
    )
  command
    .command('retry')
    .description('Queues a FAILED or CANCELLED job again; it continues after its last step.')
    .argument('<id>')
    .option('--json', 'print JSON')
    .action((id: string, { json }: Json) =>
      withGraph(async (graph) => print(await retryJob(graph, id), json, printJob)),
    )
  command
    .command('redrive')
    .description('Retries the FAILED jobs, which are the dead letters, oldest first.')
    .option('--kind <kind>', 'only of this kind')
    .option('--limit <number>', 'at most so many', parseWhole(1, 1000), 100)
    .option('--json', 'print JSON')
    .action(({ kind, limit, json }: { kind?: string; limit: number } & Json) =>
      withGraph(async (graph) => {
        const count = await redriveJobs(graph, kind, limit)
        process.stdout.write(json ? `${JSON.stringify({ count })}\n` : `${count} queued again\n`)
      }),
    )
  command
    .command('artifact')
    .description('Writes what a job keeps under a name to stdout.')
    .argument('<id>')
    .argument('<name>')
    .action((id: string, name: string) =>
      withGraph(async (graph) => {
        process.stdout.write(await readArtifact(graph, id, name))
      }),
    )
  command.addCommand(scheduleCommand())
  overrideExits(command)
  return command
}

/** Wrong calls of commands below this one end like those of any other: with exit code 2. */
function overrideExits(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride()
    overrideExits(child)
  }
}

function print<Value extends JobRow | JobRow[]>(
  value: Value,
  json: boolean | undefined,
  draw: (value: Value) => string,
) {
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : draw(value))
}
