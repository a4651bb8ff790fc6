import { InklingError } from '../platform/errors.ts'
import type { StoredCompletion } from './completion-store.ts'
import type { Transcript } from './transcript.ts'

/** After so long no other process can be at it any more: every answer has a deadline of an hour at most. */
const LOST_AFTER_MS = 3_600_000

/** Whose hands a completion without an end is in. */
export interface Place {
  /** This process. */
  readonly owner: string
  /** The embedded database belongs to one process: what another one left is lost. */
  readonly isAlone: boolean
}

/** Writes a stored completion into a transcript, so that it reads as it did live, whichever sequence a reader resumes after. */
export function replay(completion: StoredCompletion, transcript: Transcript, place: Place): void {
  const { state, target, label, source, text, toolCalls, error } = completion
  if (state === 'RUNNING') {
    transcript.fail({ error: unfinished(completion, place) })
    return
  }
  if (target !== null && source !== null) {
    transcript.start({ target, label, source })
    let written = 0
    let position = 1
    for (const call of toolCalls) {
      const until = written + call.sequence - 1 - position
      transcript.addText(text.slice(written, until))
      transcript.addCall({ id: call.id, name: call.name, argumentsJson: call.argumentsJson })
      written = until
      position = call.sequence
    }
    transcript.addText(text.slice(written))
  }
  if (state === 'FAILED' && error) {
    transcript.fail({ error })
    return
  }
  const { finishReason, usage, costUsd, firstTokenMs, startedAt, endedAt, problem } = completion
  transcript.finish({
    finishReason: finishReason ?? 'OTHER',
    target,
    label,
    source: source ?? 'CALL',
    usage,
    costUsd,
    firstTokenMs,
    durationMs: endedAt ? endedAt.getTime() - startedAt.getTime() : 0,
    problem,
  })
}

/** Whether a completion lies at its provider in a batch that another process had sent: anyone may collect it. */
export function canCollect({ state, batch, owner }: StoredCompletion, place: Place): boolean {
  return state === 'RUNNING' && batch !== null && owner !== place.owner
}

export function elsewhere(id: string): InklingError {
  return new InklingError(
    'COMPLETION_ELSEWHERE',
    `Another process answers ${id}.`,
    'Read it where it was begun (route by viewer), or ask here again once it has ended.',
  )
}

/** Only the process that answers has the answer: readers of another one are told so. */
function unfinished({ id, owner, startedAt }: StoredCompletion, place: Place): InklingError {
  const isLost = place.isAlone || owner === place.owner || Date.now() - startedAt.getTime() > LOST_AFTER_MS
  return isLost
    ? new InklingError(
        'COMPLETION_LOST',
        `The process that answered ${id} ended before it had finished.`,
        'It may have been paid for. Ask under another id to ask, and pay, again.',
      )
    : elsewhere(id)
}
