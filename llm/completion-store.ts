import type { Database } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import type { SentBatch } from './admission.ts'
import { type Completion, type CompletionEnd, type CompletionSource, noUsage, type PlacedCall } from './completion.ts'

type Kept = Omit<Completion, 'viewerId'> & { readonly fingerprint: string }

/** The answers of viewers. Each has one row, written at its end; a completion whose id the client chose also at its start. */
export interface CompletionStore {
  /**
   * Notes that this process answers a question. Null: it is ours to answer. Otherwise what is known of the completion of that id;
   * one that failed without having cost anything is ours to answer again.
   */
  claim(
    viewer: Viewer,
    wanted: Pick<Kept, 'id' | 'fingerprint' | 'prompt' | 'startedAt'>,
  ): Promise<StoredCompletion | null>
  write(viewer: Viewer, completion: Kept): Promise<void>
  /** Notes where a completion under way lies, for whoever collects it after this process. */
  noteBatch(viewer: Viewer, id: string, sent: SentBatch): Promise<void>
  find(viewer: Viewer, id: string): Promise<StoredCompletion | null>
  list(viewer: Viewer, page: CompletionPage): Promise<{ completions: StoredCompletion[]; hasNext: boolean }>
}

export interface StoredCompletion extends Completion {
  readonly fingerprint: string
  /** The process that answers, or answered. */
  readonly owner: string
  /** Where its answer lies, or lay, at a provider. */
  readonly batch: SentBatch | null
}

export interface CompletionPage {
  readonly first: number
  readonly after?: string | undefined
  /** Only the viewer's own; otherwise the whole tenant's. */
  readonly isOwn: boolean
}

/** owner: this process. */
export function createCompletionStore(database: Database, owner: string): CompletionStore {
  async function find(viewer: Viewer, id: string): Promise<StoredCompletion | null> {
    const { rows } = await database.query<Row>(
      'SELECT * FROM inkling."Completion" WHERE tenant = $1 AND "viewerId" = $2 AND id = $3',
      [viewer.tenant, viewer.id, id],
    )
    return rows[0] ? completionOf(rows[0]) : null
  }
  return {
    find,
    async claim(viewer, { id, fingerprint, prompt, startedAt }) {
      const { rowCount } = await database.query(
        `INSERT INTO inkling."Completion" AS c (tenant, "viewerId", id, fingerprint, owner, state, prompt, "startedAt")
         VALUES ($1, $2, $3, $4, $5, 'RUNNING', $6, $7)
         ON CONFLICT (tenant, "viewerId", id) DO UPDATE SET state = 'RUNNING', owner = EXCLUDED.owner, error = NULL, "endedAt" = NULL, batch = NULL,
           "startedAt" = EXCLUDED."startedAt"
         WHERE c.state = 'FAILED' AND c."costUsd" = 0 AND c.fingerprint = EXCLUDED.fingerprint`,
        [viewer.tenant, viewer.id, id, fingerprint, owner, prompt, startedAt],
      )
      if (rowCount > 0) return null
      return find(viewer, id)
    },
    async noteBatch(viewer, id, sent) {
      await database.query(
        `UPDATE inkling."Completion" SET batch = $4 WHERE tenant = $1 AND "viewerId" = $2 AND id = $3`,
        [viewer.tenant, viewer.id, id, JSON.stringify(sent)],
      )
    },
    async write(viewer, completion) {
      const { usage } = completion
      await database.query(
        `INSERT INTO inkling."Completion" (tenant, "viewerId", id, fingerprint, owner, state, prompt, target, label, text, "toolCalls",
           "finishReason", error, "inputTokens", "cachedInputTokens", "outputTokens", "isEstimated", "costUsd", source, "firstTokenMs",
           "startedAt", "endedAt", problem)
         VALUES ($1, $2, $3, $4, $5, $6::text::inkling."CompletionState", $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
           $21, $22, $23)
         ON CONFLICT (tenant, "viewerId", id) DO UPDATE SET state = EXCLUDED.state, target = EXCLUDED.target, label = EXCLUDED.label,
           text = EXCLUDED.text, "toolCalls" = EXCLUDED."toolCalls", "finishReason" = EXCLUDED."finishReason", error = EXCLUDED.error,
           "inputTokens" = EXCLUDED."inputTokens", "cachedInputTokens" = EXCLUDED."cachedInputTokens",
           "outputTokens" = EXCLUDED."outputTokens", "isEstimated" = EXCLUDED."isEstimated", "costUsd" = EXCLUDED."costUsd",
           source = EXCLUDED.source, "firstTokenMs" = EXCLUDED."firstTokenMs", "endedAt" = EXCLUDED."endedAt",
           problem = EXCLUDED.problem`,
        [
          viewer.tenant,
          viewer.id,
          completion.id,
          completion.fingerprint,
          owner,
          completion.state,
          completion.prompt,
          completion.target,
          completion.label,
          storable(completion.text),
          JSON.stringify(completion.toolCalls, storableValue),
          completion.finishReason,
          completion.error && JSON.stringify(completion.error, storableValue),
          usage.inputTokens,
          usage.cachedInputTokens,
          usage.outputTokens,
          usage.isEstimated,
          completion.costUsd.toFixed(9),
          completion.source,
          completion.firstTokenMs === null ? null : Math.round(completion.firstTokenMs),
          completion.startedAt,
          completion.endedAt,
          completion.problem && storable(completion.problem),
        ],
      )
    },
    async list(viewer, { first, after, isOwn }) {
      const values: unknown[] = [viewer.tenant, first + 1]
      const conditions = ['tenant = $1']
      if (isOwn) conditions.push(`"viewerId" = $${values.push(viewer.id)}`)
      if (after !== undefined) {
        const { startedAt, viewerId, id } = placeOf(after)
        const [at, of, key] = [values.push(startedAt), values.push(viewerId), values.push(id)]
        conditions.push(`("startedAt", "viewerId", id) < ($${at}, $${of}, $${key})`)
      }
      const { rows } = await database.query<Row>(
        `SELECT * FROM inkling."Completion" WHERE ${conditions.join(' AND ')}
          ORDER BY "startedAt" DESC, "viewerId" DESC, id DESC LIMIT $2`,
        values,
      )
      return { completions: rows.slice(0, first).map(completionOf), hasNext: rows.length > first }
    },
  }
}

/** Where a completion lies in the list. */
export function cursorOf({ startedAt, viewerId, id }: Pick<Completion, 'startedAt' | 'viewerId' | 'id'>): string {
  return Buffer.from(JSON.stringify([startedAt.toISOString(), viewerId, id])).toString('base64url')
}

function placeOf(cursor: string): { startedAt: Date; viewerId: string; id: string } {
  try {
    const [at, viewerId, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const startedAt = new Date(at)
    if (typeof viewerId === 'string' && typeof id === 'string' && !Number.isNaN(startedAt.getTime())) {
      return { startedAt, viewerId, id }
    }
  } catch {
    // refused below
  }
  throw new InklingError('BAD_USER_INPUT', 'The cursor is refused.', 'Pass an endCursor of this list.')
}

interface Row {
  readonly id: string
  readonly viewerId: string
  readonly fingerprint: string
  readonly owner: string
  readonly state: Completion['state']
  readonly prompt: string
  readonly target: string | null
  readonly label: string | null
  readonly text: string
  readonly toolCalls: PlacedCall[]
  readonly finishReason: CompletionEnd | null
  readonly error: Completion['error']
  readonly problem: string | null
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly outputTokens: number
  readonly isEstimated: boolean
  readonly costUsd: string
  readonly source: CompletionSource | null
  readonly firstTokenMs: number | null
  readonly startedAt: Date
  readonly endedAt: Date | null
  readonly batch: SentBatch | null
}

function completionOf(row: Row): StoredCompletion {
  const { inputTokens, cachedInputTokens, outputTokens, isEstimated, costUsd, ...same } = row
  return {
    ...same,
    usage: { ...noUsage, inputTokens, cachedInputTokens, outputTokens, isEstimated },
    costUsd: Number(costUsd),
  }
}

/** What a provider sent may hold what no database can; its length stays, so that sequences do. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

function storableValue(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? storable(value) : value
}
