import type { Viewer } from '../platform/viewer.ts'
import type { JobChange } from './change.ts'
import type { ChangeRow } from './changes-read.ts'
import type { Job, Progress } from './job.ts'
import type { JobFilter } from './list.ts'
import type { JobState } from './states.ts'

export type ChangeWithoutCursor = Omit<JobChange, 'cursor'>

export interface ListedRow {
  readonly row: ChangeRow
  readonly change: ChangeWithoutCursor
}

/** Which rows are changes of the list, and what each is. Of the progress of a job only the newest is: it replaces what was before. */
export function changesOf(rows: readonly ChangeRow[], filter: JobFilter, viewer: Viewer | undefined): ListedRow[] {
  const newest = new Map(rows.filter(({ type }) => type === 'PROGRESS').map((row) => [row.job.id, row]))
  const isListed = (state: JobState | null) => state !== null && (filter.states?.includes(state) ?? true)
  return rows.flatMap((row): ListedRow[] => {
    const { job, key, type, data } = row
    if (!belongs(job, filter, viewer)) return []
    const common = { job, sequence: key.sequence, at: new Date(key.at) }
    if (type === 'PROGRESS') {
      // Once it moved on, the move tells how far it came.
      const isCurrent = newest.get(job.id) === row && (job.state === 'RUNNING' || job.state === 'CANCELLING')
      const progress = data as unknown as Progress
      return isCurrent && isListed(job.state)
        ? [{ row, change: { ...common, type: 'CHANGED', state: null, from: null, progress } }]
        : []
    }
    const state = type as JobState
    const from = (data.from as JobState | undefined) ?? null
    if (!isListed(state) && !isListed(from)) return []
    const kind = isListed(from) ? (isListed(state) ? 'CHANGED' : 'LEFT') : 'ENTERED'
    return [{ row, change: { ...common, type: kind, state, from, progress: null } }]
  })
}

/** The conditions that never change in the life of a job. */
function belongs(job: Job, filter: JobFilter, viewer: Viewer | undefined): boolean {
  return (
    (viewer === undefined || job.tenant === viewer.tenant) &&
    (filter.kinds?.includes(job.kind) ?? true) &&
    (filter.tag === undefined || job.tags.includes(filter.tag)) &&
    (filter.parentId === undefined || job.parentId === filter.parentId) &&
    (filter.scheduleId === undefined || job.scheduleId === filter.scheduleId) &&
    (filter.createdSince === undefined || job.createdAt >= filter.createdSince)
  )
}
