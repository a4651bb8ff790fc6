import type { JobState } from './states.ts'

/** One thing that happened to a job. sequence counts from 1 without gaps; it is the cursor to resume after. */
export interface JobEvent {
  readonly jobId: string
  readonly sequence: number
  readonly at: Date
  /** A state it moved to, or something that was said in between. */
  readonly type: JobState | 'PROGRESS' | 'LOG' | 'STEP' | 'ARTIFACT'
  readonly data: Readonly<Record<string, unknown>>
}

/** Not stored: the reader did not read for so long that it was cut off. It may resume after this sequence. */
export interface CutEvent {
  readonly jobId: string
  readonly sequence: number
  readonly at: Date
  readonly type: 'CUT'
  readonly data: Readonly<Record<string, never>>
}
