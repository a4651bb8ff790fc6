import { randomUUID } from 'node:crypto'
import { messageOf } from '../platform/errors.ts'
import { type AbortReason, type Attempt, runAttempt } from './attempt.ts'
import { claimJobs, type WorkerIdentity } from './claim.ts'
import type { Parts } from './parts.ts'
import { promoteDue, reapSilent, reclaimOwn, untilDue } from './upkeep.ts'

/** How the signs of life are timed, in milliseconds. A takeover needs at most silent + tick. */
export interface Pulse {
  /** Between two heartbeats of a running job. */
  readonly beatMs: number
  /** Silence after which another worker takes over. */
  readonly silentMs: number
  /** Between two looks at what is due or silent. */
  readonly tickMs: number
  /** Work that ignores its signal for so long is left to itself: its job ends without it, and its writes are refused. */
  readonly deafMs: number
}

export const defaultPulse: Pulse = { beatMs: 2000, silentMs: 10_000, tickMs: 2000, deafMs: 5000 }

/**
 * Whose row is held, by a step's commit or by whoever cancels, is not waited for: one held row would silence the others. The rows that
 * tell which jobs are still ours are read apart for that reason.
 */
const BEAT = `
  WITH mine AS (
    SELECT id FROM inkling."Job" WHERE id = ANY($1::uuid[]) AND incarnation = $2 AND state IN ('RUNNING', 'CANCELLING') FOR UPDATE SKIP LOCKED
  ), beaten AS (
    UPDATE inkling."Job" SET "heartbeatAt" = clock_timestamp() WHERE id IN (SELECT id FROM mine)
  )
  SELECT id, attempt, state FROM inkling."Job" WHERE id = ANY($1::uuid[]) AND incarnation = $2 AND state IN ('RUNNING', 'CANCELLING')`

export interface WorkerOptions {
  /** A name that stays the same when the worker starts again lets it take back at once what it was running. */
  readonly name: string | null
  readonly concurrency: number
  readonly pulse: Pulse
  /** What else is to be done at every tick. */
  readonly upkeep: () => Promise<void>
}

export interface Worker {
  readonly name: string
  start(): Promise<void>
  /** Takes no more; running work gets graceMs to end, then is handed back to the queue. */
  stop(graceMs: number): Promise<void>
  /** A notification that something may have to be done. */
  wake(kind: string): void
  cancel(jobId: string): void
  running(): readonly Attempt[]
  /** When it last got round its loop; health looks at it. */
  lastTickAt(): Date | null
}

export function createWorker(parts: Parts, { name, concurrency, pulse, upkeep }: WorkerOptions): Worker {
  const identity: WorkerIdentity = { name: name ?? `worker-${process.pid}`, incarnation: randomUUID() }
  const running = new Map<string, Attempt>()
  /** Kinds that may have something to take. */
  const awake = new Set<string>()
  let isStopping = false
  let tickedAt: Date | null = null
  let loops: Promise<unknown> = Promise.resolve()
  let rouse: () => void = () => {}

  /** The loop is one long run in the context it was started in: whoever rouses it lends it no transaction. */
  async function claimLoop(): Promise<void> {
    while (!isStopping) {
      const kind = nextKind()
      if (kind) {
        await claimOf(kind)
        continue
      }
      await new Promise<void>((resolve) => {
        rouse = resolve
      })
    }
  }
  function freeFor(kind: string): number {
    const most = parts.kinds.get(kind)?.concurrency ?? 0
    const ofKind = [...running.values()].filter((attempt) => attempt.kind === kind).length
    return Math.min(concurrency - running.size, most - ofKind)
  }
  function nextKind(): string | undefined {
    return [...awake].find((kind) => freeFor(kind) > 0)
  }
  async function claimOf(kind: string): Promise<void> {
    awake.delete(kind) // before the look: a notification during it counts
    const free = freeFor(kind)
    try {
      const claimed = await claimJobs(parts, kind, free, identity)
      if (claimed.length === free) awake.add(kind) // behind the other kinds, so that they take turns
      for (const one of claimed) begin(kind, one)
    } catch (error) {
      parts.log.warn({ event: 'jobs not claimed', kind, error: messageOf(error) })
      awake.add(kind)
      await pause(1000)
    }
  }
  function begin(kind: string, claimed: Awaited<ReturnType<typeof claimJobs>>[number]): void {
    const attempt = runAttempt(parts, parts.kinds.get(kind)!, claimed, pulse.deafMs)
    running.set(attempt.jobId, attempt)
    void attempt.done.then(() => {
      if (running.get(attempt.jobId) === attempt) running.delete(attempt.jobId)
      rouse()
    })
  }

  async function beat(): Promise<void> {
    const ids = [...running.keys()]
    if (ids.length === 0) return
    const { rows } = await parts.database.query<{ id: string; attempt: number; state: string }>(BEAT, [
      ids,
      identity.incarnation,
    ])
    for (const id of ids) {
      const row = rows.find((candidate) => candidate.id === id)
      const attempt = running.get(id)
      if (!attempt) continue
      if (row?.attempt !== attempt.attempt) attempt.abort('FENCED')
      else if (row.state === 'CANCELLING') attempt.abort('CANCELLED') // its notification was lost
    }
  }
  /** Answers when to come again. */
  async function tick(): Promise<number> {
    await reapSilent(parts, pulse.silentMs, [...running.keys()])
    for (const kind of await promoteDue(parts)) awake.add(kind)
    rouse()
    await upkeep()
    tickedAt = new Date()
    return untilDue(parts, pulse.tickMs)
  }
  /** Runs work again and again with the pause between that it answers; a failure is logged and tried again. */
  async function repeat(pauseMs: number, what: string, work: () => Promise<number>): Promise<void> {
    while (!isStopping) {
      let ms = pauseMs
      try {
        ms = await work()
      } catch (error) {
        parts.log.warn({ event: `${what} failed`, error: messageOf(error) })
      }
      await pause(ms)
    }
  }

  const pauses = new Set<() => void>()
  function pause(ms: number): Promise<void> {
    if (isStopping) return Promise.resolve()
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        pauses.delete(end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      pauses.add(end)
    })
  }
  function abortAll(reason: AbortReason): void {
    for (const attempt of running.values()) attempt.abort(reason)
  }

  return {
    name: identity.name,
    async start() {
      // The embedded database has no other users: what runs there by the records is an orphan of a crash.
      if (parts.database.embedded) await reclaimOwn(parts, null)
      else if (name !== null) await reclaimOwn(parts, name)
      for (const kind of parts.kinds.keys()) awake.add(kind)
      loops = Promise.all([
        claimLoop(),
        repeat(pulse.beatMs, 'heartbeat', () => beat().then(() => pulse.beatMs)),
        repeat(pulse.tickMs, 'job upkeep', tick),
      ])
    },
    async stop(graceMs) {
      const beats = setInterval(() => void beat().catch(() => {}), pulse.beatMs) // the loop stops, the work does not yet
      isStopping = true
      rouse()
      for (const end of pauses) end()
      await loops
      const ended = Promise.all([...running.values()].map((attempt) => attempt.done))
      let timer: NodeJS.Timeout | undefined
      await Promise.race([
        ended,
        new Promise((resolve) => {
          timer = setTimeout(resolve, graceMs)
        }),
      ])
      clearTimeout(timer)
      abortAll('RELEASED')
      await Promise.all([...running.values()].map((attempt) => attempt.done))
      clearInterval(beats)
    },
    wake(kind) {
      if (parts.kinds.has(kind)) awake.add(kind)
      rouse()
    },
    cancel: (jobId) => running.get(jobId)?.abort('CANCELLED'),
    running: () => [...running.values()],
    lastTickAt: () => tickedAt,
  }
}
