import { type ErrorCode, InklingError } from '../../platform/errors.ts'
import type { Graph } from './graph.ts'
import type { JobRow } from './print.ts'

const FIELDS = `id kind state reason startedBy createdAt startedAt endedAt nextAttemptAt lastSequence maxAttempts
  progress { done total unit message etaAt } error { code message hint } attempts { number worker startedAt endedAt outcome error { message } } artifacts { name mediaType sizeBytes }`
/** Enough characters that a shortened id is seldom another's too. */
const SHORTEST = 4
const FULL = 36

export async function listJobs(graph: Graph, where: object, first: number): Promise<JobRow[]> {
  const text = `query ($first: Int!, $where: JobWhere) { jobs(first: $first, where: $where) { nodes { ${FIELDS} } } }`
  const { jobs } = await graph.ask<{ jobs: { nodes: JobRow[] } }>(text, { first, where })
  return jobs.nodes
}

/** By its id or the beginning of it. Throws JOB_UNKNOWN, or BAD_USER_INPUT when the beginning is another's too. */
export async function findJob(graph: Graph, given: string): Promise<JobRow & { logs: unknown[] }> {
  const id = await fullId(graph, given)
  const text = `query ($id: ID!) { job(id: $id) { ${FIELDS} logs(first: 100) { nodes { at level message } } } }`
  const { job } = await graph.ask<{ job: (JobRow & { logs: { nodes: unknown[] } }) | null }>(text, { id })
  if (!job) throw unknown(given)
  return { ...job, logs: job.logs.nodes }
}

export async function cancelJob(graph: Graph, given: string, reason: string | undefined): Promise<JobRow> {
  const text = `mutation ($input: CancelJobInput!) { result: cancelJob(input: $input) {
    ... on CancelJobPayload { job { ${FIELDS} } } ... on Error { code message hint } } }`
  return jobOf(await graph.ask(text, { input: { id: await fullId(graph, given), reason } }))
}

export async function retryJob(graph: Graph, given: string): Promise<JobRow> {
  const text = `mutation ($input: RetryJobInput!) { result: retryJob(input: $input) {
    ... on RetryJobPayload { job { ${FIELDS} } } ... on Error { code message hint } } }`
  return jobOf(await graph.ask(text, { input: { id: await fullId(graph, given) } }))
}

export async function redriveJobs(graph: Graph, kind: string | undefined, limit: number): Promise<number> {
  const text = `mutation ($input: RedriveJobsInput!) { result: redriveJobs(input: $input) {
    ... on RedriveJobsPayload { count } ... on Error { code message hint } } }`
  return payloadOf<{ count: number }>(await graph.ask(text, { input: { kind, limit } })).count
}

/** Bytes of an artifact, a megabyte at a time. Throws NOT_FOUND. */
export async function readArtifact(graph: Graph, given: string, name: string): Promise<Buffer> {
  const id = await fullId(graph, given)
  const text = `query ($id: ID!, $name: String!, $offset: Int!) {
    job(id: $id) { artifact(name: $name) { sizeBytes base64(offset: $offset) } } }`
  const stretches: Buffer[] = []
  for (let offset = 0; ; ) {
    const { job } = await graph.ask<{ job: { artifact: { sizeBytes: number; base64: string } | null } | null }>(text, {
      id,
      name,
      offset,
    })
    if (!job?.artifact)
      throw new InklingError('NOT_FOUND', `Job ${given} has no artifact "${name}".`, '`inkling jobs show` lists them.')
    const stretch = Buffer.from(job.artifact.base64, 'base64')
    stretches.push(stretch)
    offset += stretch.length
    if (offset >= job.artifact.sizeBytes || stretch.length === 0) return Buffer.concat(stretches)
  }
}

/** The payload of a mutation. Throws its error. */
export function payloadOf<Payload extends object>({ result }: { result: Payload | Refusal }): Payload {
  if (!('code' in result)) return result
  throw new InklingError(result.code, result.message, result.hint)
}

interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}

function jobOf(answer: { result: { job: JobRow } | Refusal }): JobRow {
  return payloadOf(answer).job
}

export async function fullId(graph: Graph, given: string): Promise<string> {
  if (given.length >= FULL) return given
  const text = 'query { jobs(first: 1000) { nodes { id } } }'
  const { jobs } = await graph.ask<{ jobs: { nodes: { id: string }[] } }>(text, {})
  const matches = given.length >= SHORTEST ? jobs.nodes.filter(({ id }) => id.startsWith(given.toLowerCase())) : []
  if (matches.length === 1) return matches[0]!.id
  if (matches.length === 0) throw unknown(given)
  throw new InklingError('BAD_USER_INPUT', `${matches.length} jobs begin with ${given}.`, 'Give more of the id.')
}

function unknown(given: string): InklingError {
  return new InklingError('JOB_UNKNOWN', `There is no job ${given}.`, '`inkling jobs list` shows the ids.')
}
