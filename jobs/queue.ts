import { type Db, PgBoss } from 'pg-boss'
import type { Database } from '../platform/database.ts'
import { InklingError, messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { AnyJobKind } from './kind.ts'

export const QUEUE_SCHEMA = 'inkling_boss'

/** pg-boss keeps a waiting ticket for at most this long; `repairDeliveries` gives those that it dropped a new one. */
const LONGEST_WAIT_SECONDS = 365 * 24 * 3600
/** Room for ranks below each step of priority: 100 steps of it stay inside pg-boss's 32-bit priority. */
const RANKS = 10_000_000

export interface Ticket {
  readonly id: string
  readonly jobId: string
  readonly kind: string
  readonly priority: number
  readonly rank: number
  readonly dueAt: Date | null
}

/**
 * pg-boss as the queue: it orders tickets by priority and due time. Whoever claims a job takes its ticket away in the same statement
 * (claim.ts reads pg-boss's table, as its own fetch does). A ticket may start one attempt; attempts, heartbeats, retries and states are ours, in inkling."Job", because they must commit together with checkpoints and
 * events. Every call joins the transaction it is made in, so that a job and its ticket never part.
 */
export interface Queue {
  start(): Promise<void>
  stop(): Promise<void>
  send(ticket: Ticket): Promise<void>
  /** Removes tickets, except those that a claim looks at in this moment: without its job a ticket claims nothing, and upkeep removes it. */
  drop(kind: string, deliveryIds: readonly string[]): Promise<void>
  /** The next moments of a cron expression or recurrence rule after a moment. Throws BAD_USER_INPUT. */
  occurrences(expression: string, timeZone: string, from: Date, count: number): Date[]
}

export function createQueue(database: Database, log: Log, kinds: readonly AnyJobKind[]): Queue {
  // No timers of its own: one session must not be shared with a second maintainer, and ended tickets are dropped by us.
  const boss = new PgBoss({ db: adapterOf(database), schema: QUEUE_SCHEMA, supervise: false, schedule: false })
  boss.on('error', (error) => log.warn({ event: 'queue failed', error: messageOf(error) }))
  return {
    async start() {
      await boss.start()
      for (const kind of kinds)
        await boss.createQueue(kind.name, { retryLimit: 0, retentionSeconds: LONGEST_WAIT_SECONDS })
    },
    stop: () => boss.stop({ graceful: false, close: false }),
    async send({ id, jobId, kind, priority, rank, dueAt }) {
      await boss.send(
        kind,
        { jobId },
        {
          id,
          priority: priority * RANKS - Math.min(rank, RANKS - 1),
          ...(dueAt ? { startAfter: dueAt } : {}),
        },
      )
    },
    async drop(kind, deliveryIds) {
      if (deliveryIds.length === 0) return
      // Not pg-boss's own deleteJob, which waits: we hold the job and want its ticket, a claim holds the ticket and wants its job.
      await database.query(
        `DELETE FROM ${QUEUE_SCHEMA}.job WHERE name = $1 AND id IN (
           SELECT id FROM ${QUEUE_SCHEMA}.job WHERE name = $1 AND id = ANY($2::uuid[]) FOR UPDATE SKIP LOCKED)`,
        [kind, deliveryIds],
      )
    },
    occurrences(expression, timeZone, from, count) {
      try {
        return boss.previewSchedule(expression, { tz: timeZone, from, count })
      } catch (error) {
        throw new InklingError(
          'BAD_USER_INPUT',
          `"${expression}" in ${timeZone} is no schedule: ${messageOf(error)}`,
          'Use a cron expression such as "0 3 * * *" or a rule such as "FREQ=WEEKLY;BYDAY=MO", and an IANA time zone.',
          { cause: error },
        )
      }
    },
  }
}

/** The one pool as pg-boss wants it. */
function adapterOf(database: Database): Db {
  return {
    async executeSql(text, values) {
      if (values && values.length > 0) return database.query(text, values)
      if (!/^\s*BEGIN\b/i.test(text)) return database.query(text)
      // Its own transaction in one text: when it fails, the connection must not go back to the pool inside it.
      const client = await database.pool.connect()
      try {
        const answer = (await client.query(text)) as unknown as { rows: unknown[] } | { rows: unknown[] }[]
        return Array.isArray(answer) ? { rows: answer.flatMap((part) => part.rows) } : answer
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {})
        throw error
      } finally {
        client.release()
      }
    },
  }
}
