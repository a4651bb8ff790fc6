import { isPassingError } from '../../jobs/context.ts'
import type { Jobs } from '../../jobs/engine.ts'
import type { Database } from '../../platform/database.ts'
import type { Reading } from './history.ts'

const MOST_READERS = 60

/** Follows the first jobs it sees live, from their first event to the last, resuming after every lost connection. */
export function startReaders(database: Database, jobs: Jobs) {
  const readings = new Map<string, number[]>()
  const follows: Promise<void>[] = []
  const stop = new AbortController()
  let reconnects = 0

  async function follow(jobId: string, sequences: number[]): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        // Left now and then without any need, as browsers do.
        const until = AbortSignal.any([stop.signal, AbortSignal.timeout(Math.ceil(300 + Math.random() * 2000))])
        for await (const event of jobs.events(jobId, sequences.at(-1) ?? 0, until)) {
          if (event.type !== 'CUT') sequences.push(event.sequence)
        }
      } catch (error) {
        if (!isPassingError(error)) throw error // else what was not given is given next time
      }
      reconnects += 1
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  const look = setInterval(async () => {
    if (readings.size >= MOST_READERS) return
    const { rows } = await database
      .query<{ id: string }>(`SELECT id FROM inkling."Job" ORDER BY "createdAt" DESC LIMIT ${MOST_READERS / 10}`)
      .catch(() => ({ rows: [] }))
    for (const { id } of rows) {
      if (readings.has(id)) continue
      const sequences: number[] = []
      readings.set(id, sequences)
      const following = follow(id, sequences)
      following.catch(() => {}) // met at the end
      follows.push(following)
    }
  }, 400)

  return {
    /** Gives them a moment to see the last events, then ends them. */
    async end(): Promise<{ readings: Reading[]; reconnects: number }> {
      clearInterval(look)
      await new Promise((resolve) => setTimeout(resolve, 1500))
      stop.abort()
      await Promise.all(follows)
      return { readings: [...readings].map(([jobId, sequences]) => ({ jobId, sequences })), reconnects }
    },
  }
}
