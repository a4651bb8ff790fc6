import type { Job, Progress } from './job.ts'
import type { JobState } from './states.ts'

/** Something that happened to one of many jobs: it moved, or came further. cursor: resumes a live list after it. */
export interface JobChange {
  /** Whether it came into the list, stayed in it or left it. */
  readonly type: 'ENTERED' | 'CHANGED' | 'LEFT'
  readonly cursor: string
  /** The row as it is when the change is read, which may be further on than the change. */
  readonly job: Job
  /** Number of the event among those of its job. */
  readonly sequence: number
  readonly at: Date
  /** Null: it is no move. */
  readonly state: JobState | null
  /** Where it moved from; null for a new job, and for what is no move. */
  readonly from: JobState | null
  readonly progress: Progress | null
}

/** Where a live list begins: the newest jobs, and the cursor after all that made them so. */
export interface JobListing {
  readonly type: 'LISTED'
  readonly cursor: string
  readonly jobs: readonly Job[]
}

/** The reader did not read for so long that it was let go. It may resume after this cursor. */
export interface ChangesCut {
  readonly type: 'CUT'
  readonly cursor: string
}
