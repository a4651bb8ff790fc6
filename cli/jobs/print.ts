export interface JobRow {
  readonly id: string
  readonly kind: string
  readonly state: string
  readonly reason: string | null
  readonly startedBy: string
  readonly createdAt: string
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly nextAttemptAt: string | null
  readonly lastSequence: number
  readonly maxAttempts: number
  readonly progress: { done: number; total: number | null; unit: string | null; message: string | null } | null
  readonly error: { code: string; message: string; hint: string } | null
  readonly attempts: readonly {
    number: number
    worker: string
    startedAt: string
    endedAt: string | null
    outcome: string | null
    error: { message: string } | null
  }[]
  readonly artifacts: readonly { name: string; mediaType: string; sizeBytes: number }[]
  readonly logs?: readonly unknown[]
}

export const moment = (text: string) => text.slice(0, 19).replace('T', ' ')

export function printList(jobs: readonly JobRow[]): string {
  if (jobs.length === 0) return 'no jobs\n'
  const lines = jobs.map(
    (job) =>
      `${job.id.slice(0, 8)}  ${moment(job.createdAt)}  ${job.state.padEnd(10)}  ${job.kind.padEnd(12)}  ${says(job)}`,
  )
  return `${lines.join('\n')}\n`
}

function says({ state, progress, error, reason, startedAt, endedAt }: JobRow): string {
  if (state === 'SUCCEEDED' && startedAt && endedAt) return `in ${seconds(startedAt, endedAt)}`
  if (state === 'RUNNING') return progress ? `${share(progress)} ${progress.message ?? ''}` : ''
  if (error && (state === 'FAILED' || state === 'RETRYING')) return error.message
  return reason ?? ''
}

function share({ done, total, unit }: NonNullable<JobRow['progress']>): string {
  const of = total === null ? `${done}` : `${Math.floor((100 * done) / Math.max(total, 1))} %`
  return unit && total === null ? `${of} ${unit}` : of
}

function seconds(from: string, to: string): string {
  return `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`
}

export function printJob(job: JobRow): string {
  const lines = [
    `${job.id}  ${job.kind}  ${job.state}${job.reason ? `  (${job.reason})` : ''}`,
    `  enqueued ${moment(job.createdAt)} by ${job.startedBy}${job.endedAt ? `, over ${moment(job.endedAt)}` : ''}`,
  ]
  if (job.progress) lines.push(`  progress ${share(job.progress)} ${job.progress.message ?? ''}`)
  if (job.nextAttemptAt) lines.push(`  next attempt ${moment(job.nextAttemptAt)}`)
  for (const { number, worker, startedAt, endedAt, outcome, error } of job.attempts)
    lines.push(
      `  attempt ${number}  ${outcome ?? 'running'}  ${moment(startedAt)}  ${endedAt ? seconds(startedAt, endedAt) : ''}  ${worker}${error ? `  ${error.message}` : ''}`,
    )
  for (const { name, mediaType, sizeBytes } of job.artifacts)
    lines.push(`  artifact ${name}  ${mediaType}  ${sizeBytes} bytes`)
  if (job.error) lines.push(`  ${job.error.code}: ${job.error.message}`, `    ${job.error.hint}`)
  for (const line of (job.logs ?? []) as { at: string; level: string; message: string }[])
    lines.push(`  ${moment(line.at)}  ${line.level.toLowerCase().padEnd(5)}  ${line.message}`)
  return `${lines.join('\n')}\n`
}
