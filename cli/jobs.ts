import { Command } from 'commander'
import { type Graph, openGraph } from './jobs/graph.ts'
import { cancelJob, findJob, listJobs, retryJob } from './jobs/operations.ts'
import { type JobRow, printJob, printList } from './jobs/print.ts'
import { watchJob } from './jobs/watch.ts'

interface Json {
  readonly json?: boolean
}

/** `inkling jobs`: what runs, what ran, and the way to stop it. Asks the running server, or the database where none runs. */
export function jobsCommand(): Command {
  const command = new Command('jobs').summary('list, watch, cancel and retry jobs').description(
    `Lists, watches, cancels and retries jobs such as training runs. Asks the server on HOST and PORT; where none runs, or
DATABASE_URL is set, the database itself. An id may be shortened to its first characters.`,
  )
  command
    .command('list')
    .description('Lists jobs, newest first.')
    .option('--state <states...>', 'only in these states, such as RUNNING FAILED')
    .option('--kind <kinds...>', 'only of these kinds')
    .option('--first <number>', 'at most so many', Number, 20)
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
    .description('Follows a job until it is over: a bar, its pace and when it will be done. Ctrl-C leaves it running.')
    .argument('[id]', 'default: the newest job that is not over')
    .action((id: string | undefined) =>
      withGraph(async (graph) => {
        const job = await watchJob(graph, id)
        process.exitCode = job && job.state !== 'SUCCEEDED' ? 1 : 0
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
  return command
}

async function withGraph(work: (graph: Graph) => Promise<void>): Promise<void> {
  const graph = await openGraph()
  try {
    await work(graph)
  } finally {
    await graph.close()
  }
}

function print<Value extends JobRow | JobRow[]>(
  value: Value,
  json: boolean | undefined,
  draw: (value: Value) => string,
) {
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : draw(value))
}
