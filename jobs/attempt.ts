import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import { withSpan } from '../platform/telemetry.ts'
import type { Claimed } from './claim.ts'
import { createContext, isPassingError, Suspension } from './context.ts'
import { type Ending, endAttempt } from './ending.ts'
import { toJobError, toJsonText } from './job.ts'
import { createJournal, type Journal } from './journal.ts'
import { type AnyJobKind, parseInput } from './kind.ts'
import type { Parts } from './parts.ts'

/** Why an attempt is being ended from outside. */
export type AbortReason = 'CANCELLED' | 'TIMED_OUT' | 'RELEASED' | 'FENCED'

export interface Attempt {
  readonly jobId: string
  readonly kind: string
  readonly attempt: number
  abort(reason: AbortReason): void
  /** Resolves when its end is written, or is known to be nobody's to write. Never rejects. */
  readonly done: Promise<void>
}

const END_RETRY_MS = 1000

const aborts: Record<AbortReason, () => InklingError> = {
  CANCELLED: () => new InklingError('CANCELLED', 'The job was cancelled.', 'Retry it to continue after its last step.'),
  TIMED_OUT: () => new InklingError('UNAVAILABLE', 'The attempt took longer than its kind allows.', 'Raise timeoutMs.'),
  RELEASED: () => new InklingError('UNAVAILABLE', 'The worker is stopping.', 'The job continues on another worker.'),
  FENCED: () => new InklingError('JOB_STATE', 'Another attempt took the job over.', 'Nothing to do.'),
}

/** Runs one claimed attempt to its end. Begins at once and does not throw. deafMs: see Pulse. */
export function runAttempt(parts: Parts, kind: AnyJobKind, claimed: Claimed, deafMs: number): Attempt {
  const { job } = claimed
  const controller = new AbortController()
  const log = parts.log.child({ jobId: job.id, kind: kind.name, attempt: job.attempt })
  let reason: AbortReason | null = null
  let abandon: (ending: Ending) => void
  const abandoned = new Promise<Ending>((resolve) => {
    abandon = resolve
  })
  let grace: NodeJS.Timeout | undefined
  let isOver = false
  function abort(why: AbortReason): void {
    if (reason !== null || isOver) return
    reason = why
    controller.abort(aborts[why]())
    grace = setTimeout(() => {
      log.warn({ event: 'job ignored its signal', reason: why })
      abandon(endingOfAbort(why))
    }, deafMs)
  }
  const journal = createJournal(parts.database, log, job, () => abort('FENCED'))
  const timeout = setTimeout(() => abort('TIMED_OUT'), Math.min(kind.timeoutMs, 2 ** 31 - 1))

  async function work(): Promise<Ending> {
    try {
      const context = createContext(parts, job, claimed.steps, journal, controller.signal, () => abort('FENCED'))
      const result = await kind.run(context, parseInput(kind, job.input))
      // Work that stopped early because it was told to may return as if it were whole.
      if (reason) return endingOfAbort(reason)
      return { outcome: 'SUCCEEDED', result: JSON.parse(toJsonText(result)) }
    } catch (error) {
      if (reason) return endingOfAbort(reason)
      if (error instanceof Suspension) return { outcome: 'SUSPENDED', childIds: error.childIds }
      const isRetryable = !isInklingError(error) || error.retryable
      log.warn({
        event: 'job attempt failed',
        error: messageOf(error),
        ...(isInklingError(error) ? {} : { stack: stackOf(error) }),
      })
      return { outcome: 'FAILED', error: toJobError(error), isRetryable }
    }
  }

  async function run(): Promise<void> {
    log.info({ event: 'job attempt began' })
    const began = performance.now()
    const ending = await withSpan('job', { 'job.kind': kind.name, 'job.id': job.id, 'job.attempt': job.attempt }, () =>
      Promise.race([work(), abandoned]),
    )
    isOver = true
    clearTimeout(timeout)
    clearTimeout(grace)
    if (reason === 'FENCED') return log.warn({ event: 'job attempt overtaken' })
    const state = await writeEnd(parts, claimed, ending, journal)
    log.info({
      event: 'job attempt ended',
      outcome: ending.outcome,
      state,
      durationMs: Math.round(performance.now() - began),
    })
  }
  // An end that cannot be written leaves the job to the silence of its heartbeat: it is taken over like a crash.
  const done = run()
    .catch((error) => log.error({ event: 'job attempt end not written', error: messageOf(error) }))
    .finally(() => journal.close())
  return { jobId: job.id, kind: kind.name, attempt: job.attempt, abort, done }
}

/** The end is written as soon as the database can be reached; until then the job is still ours, or overtaken. */
async function writeEnd(parts: Parts, { job }: Claimed, ending: Ending, journal: Journal): Promise<string> {
  for (;;) {
    try {
      await journal.flush()
      const ended = await endAttempt(parts, job, ending)
      return ended?.state ?? 'overtaken'
    } catch (error) {
      if (isInklingError(error) && error.code === 'JOB_STATE') return 'overtaken'
      if (!isPassingError(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, END_RETRY_MS))
    }
  }
}

function endingOfAbort(reason: AbortReason): Ending {
  if (reason === 'CANCELLED' || reason === 'FENCED') return { outcome: 'CANCELLED' }
  if (reason === 'RELEASED')
    return { outcome: 'RELEASED', reason: 'Its worker stopped; it continues after its last step.' }
  return { outcome: 'TIMED_OUT', error: toJobError(aborts.TIMED_OUT()), isRetryable: true }
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined
}
