import type { Queryable } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import { enqueue } from './enqueue.ts'
import { type Job, type Json, toJsonText } from './job.ts'
import { fencedError, type Journal } from './journal.ts'
import type { JobContext } from './kind.ts'
import { BOUND, type Parts } from './parts.ts'
import { isFinal } from './states.ts'

const MOST_ARTIFACT_BYTES = 16 * 1024 * 1024
/** A lost connection is tried again this often before the attempt gives up; the waits add up to about 15 s. */
const COMMIT_TRIES = 6

/** Thrown through `run` by `join`: the attempt gives its place away until the children are over. */
export class Suspension extends Error {
  readonly childIds: readonly string[]
  constructor(childIds: readonly string[]) {
    super('The job waits for its children. Let this error pass.')
    this.childIds = childIds
  }
}

/** The context of one attempt. steps: what earlier attempts committed. */
export function createContext(
  parts: Parts,
  job: Job,
  steps: Readonly<Record<string, Json>>,
  journal: Journal,
  signal: AbortSignal,
  onFenced: (error: InklingError) => void,
): JobContext {
  const used = new Set<string>()

  async function fenced<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
    return parts.database.transaction(async (client) => {
      const { rows } = await client.query(
        `SELECT bound.idle FROM inkling."Job" j, ${BOUND}
         WHERE j.id = $1 AND j.attempt = $2 AND j.state IN ('RUNNING', 'CANCELLING') FOR UPDATE OF j`,
        [job.id, job.attempt],
      )
      if (rows.length === 0) {
        const error = fencedError(job)
        onFenced(error)
        throw error
      }
      return work(client)
    })
  }

  async function commitStep<T extends Json>(
    name: string,
    value: T,
    durationMs: number,
    commit?: (value: T, client: Queryable) => Promise<void>,
  ): Promise<void> {
    await fenced(async (client) => {
      const { rowCount } = await client.query(
        `INSERT INTO inkling."JobStep" ("jobId", name, attempt, result, "durationMs") VALUES ($1, $2, $3, $4::jsonb, $5)
         ON CONFLICT ("jobId", name) DO NOTHING`,
        [job.id, name, job.attempt, toJsonText(value), durationMs],
      )
      if (rowCount === 0) return // committed already: the connection was lost between the commit and its answer
      await journal.append(client, 'STEP', { name, durationMs, attempt: job.attempt })
      await commit?.(value, client)
    })
  }

  return {
    job,
    attempt: job.attempt,
    signal,
    progress({ done, total = null, unit = null, message = null }) {
      journal.progress({ done, total: total ?? null, unit: unit ?? null, message: message ?? null })
    },
    log(level, message) {
      journal.say('LOG', { level, message: message.slice(0, 4000) })
    },
    async step<T extends Json>(
      name: string,
      work: () => Promise<T> | T,
      commit?: (value: T, client: Queryable) => Promise<void>,
    ) {
      if (used.has(name))
        throw new InklingError(
          'BAD_USER_INPUT',
          `Step "${name}" is used twice in one attempt.`,
          'Number the steps of a loop.',
        )
      used.add(name)
      if (Object.hasOwn(steps, name)) return steps[name] as T
      signal.throwIfAborted()
      const began = performance.now()
      // As JSON gives it back, so that the first attempt sees exactly what a later one will see.
      const value = JSON.parse(toJsonText(await work())) as T
      signal.throwIfAborted()
      const durationMs = Math.round(performance.now() - began)
      await whileDisconnected(signal, () => journal.flush())
      await whileDisconnected(signal, () => commitStep(name, value, durationMs, commit))
      return value
    },
    transaction: fenced,
    async artifact(name, mediaType, bytes) {
      if (bytes.byteLength > MOST_ARTIFACT_BYTES)
        throw new InklingError(
          'BAD_USER_INPUT',
          `Artifact "${name}" has ${bytes.byteLength} bytes; 16 MB are allowed.`,
          'Keep less.',
        )
      await fenced(async (client) => {
        await client.query(
          `INSERT INTO inkling."JobArtifact" ("jobId", name, "mediaType", bytes) VALUES ($1, $2, $3, $4)
           ON CONFLICT ("jobId", name) DO UPDATE SET "mediaType" = $3, bytes = $4, "createdAt" = now()`,
          [job.id, name, mediaType, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)],
        )
        await journal.append(client, 'ARTIFACT', { name, mediaType, size: bytes.byteLength })
      })
    },
    async metric(name, value) {
      await fenced((client) =>
        client.query(
          'UPDATE inkling."Job" SET metrics = metrics || jsonb_build_object($2::text, $3::float8) WHERE id = $1',
          [job.id, name, value],
        ),
      )
    },
    async spend(usd) {
      await fenced((client) =>
        client.query('UPDATE inkling."Job" SET "costUsd" = "costUsd" + $2 WHERE id = $1', [job.id, usd]),
      )
    },
    async child(kind, input, { key, priority = job.priority }) {
      const viewer = { id: job.viewerId, tenant: job.tenant, scopes: [] }
      return fenced(() =>
        enqueue(parts, kind, input, { viewer, priority, parentId: job.id, idempotencyKey: `${job.id}/${key}` }),
      )
    },
    async join(children) {
      const ids = children.map((child) => child.id)
      const { rows } = await parts.database.query<Job>('SELECT * FROM inkling."Job" WHERE id = ANY($1::uuid[])', [ids])
      if (rows.some((row) => !isFinal(row.state))) throw new Suspension(ids)
      return ids.flatMap((id) => rows.filter((row) => row.id === id))
    },
  }
}

/** Tries again while the database cannot be reached. The work must be safe to repeat. */
async function whileDisconnected(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isPassingError(error) || tries === COMMIT_TRIES || signal.aborted) throw error
      await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** tries))
    }
  }
}

/**
 * Whether trying again may help: the connection failed rather than the statement (the driver's own errors, PostgreSQL's classes 08 and
 * 57P, and 25P03, the bound on idle transactions), or the transaction was chosen to end a deadlock (class 40).
 */
export function isPassingError(error: unknown): boolean {
  const { code = '', message = '' } = (error ?? {}) as { code?: string; message?: string }
  return (
    /^(08|57P|40|25P03)/.test(code) ||
    /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND)/.test(code) ||
    /connection (terminated|timeout|closed)|timeout exceeded when trying to connect|not queryable/i.test(message)
  )
}
