import { randomUUID } from 'node:crypto'
import type { Database, Queryable } from '../../platform/database.ts'
import { InklingError } from '../../platform/errors.ts'
import type { Viewer } from '../../platform/viewer.ts'
import type { AlertRule, Breach, Finding } from './findings.ts'

export type AlertState = 'OPEN' | 'ACKNOWLEDGED' | 'RESOLVED'

/** Something about a model that somebody should look at. */
export interface Alert {
  readonly id: string
  readonly tenant: string
  readonly model: string
  readonly rule: AlertRule
  readonly state: AlertState
  readonly message: string
  readonly details: {
    readonly breaches: readonly Breach[]
    readonly rows: number
    readonly from: string | null
    readonly to: string | null
  }
  readonly owner: string | null
  readonly versionId: string | null
  readonly openedAt: Date
  /** When it was last found so. */
  readonly seenAt: Date
  readonly acknowledgedAt: Date | null
  readonly acknowledgedBy: string | null
  readonly resolvedAt: Date | null
}

export const alertEventTypes = ['OPENED', 'ACKNOWLEDGED', 'RESOLVED'] as const
export type AlertEventType = (typeof alertEventTypes)[number]

/** Something that happened to an alert, numbered in the order of the commits. */
export interface AlertEvent {
  readonly sequence: string
  readonly alertId: string
  readonly tenant: string
  readonly type: AlertEventType
  /** The alert as it was then. */
  readonly data: Omit<Alert, 'openedAt' | 'seenAt' | 'acknowledgedAt' | 'resolvedAt'>
  readonly at: Date
}

/** Channel on which every process hears that an alert moved. */
export const ALERT_CHANNEL = 'inkling_alerts'

export interface AlertSubject {
  readonly tenant: string
  readonly model: string
  readonly owner: string | null
  readonly versionId: string | null
}

/** Called in the transaction of each event: what has to follow from it, such as a webhook's job. */
export type OnAlertEvent = (event: AlertEvent) => Promise<void>

/**
 * Makes the alert of a rule what a look found: opens one, keeps it, or resolves it. At most one alert of a rule is not resolved, however
 * many processes look at once. Resolves with the event, null where nothing moved.
 */
export function settleAlert(
  database: Database,
  subject: AlertSubject,
  finding: Finding,
  onEvent?: OnAlertEvent,
): Promise<AlertEvent | null> {
  const { rule, state, message, breaches, rows, from, to } = finding
  if (state === 'UNKNOWN' || state === 'BETWEEN') return Promise.resolve(null)
  const { tenant, model, owner, versionId } = subject
  return database.transaction(async (client) => {
    if (state === 'CLEARED') {
      const { rows: resolved } = await client.query<Alert>(
        `UPDATE inkling."Alert" SET state = 'RESOLVED', "resolvedAt" = clock_timestamp()
         WHERE tenant = $1 AND model = $2 AND rule = $3 AND state <> 'RESOLVED' RETURNING *`,
        [tenant, model, rule],
      )
      return resolved[0] ? append(client, 'RESOLVED', resolved[0], onEvent) : null
    }
    const { rows: settled } = await client.query<Alert & { isNew: boolean }>(
      `INSERT INTO inkling."Alert" AS a (id, tenant, model, rule, state, message, details, owner, "versionId", "openedAt", "seenAt")
       VALUES ($1, $2, $3, $4, 'OPEN', $5, $6::jsonb, $7, $8::uuid, clock_timestamp(), clock_timestamp())
       ON CONFLICT (tenant, model, rule) WHERE state <> 'RESOLVED'
       DO UPDATE SET "seenAt" = clock_timestamp(), message = EXCLUDED.message, details = EXCLUDED.details, "versionId" = EXCLUDED."versionId"
       RETURNING *, (xmax = 0) AS "isNew"`,
      [randomUUID(), tenant, model, rule, message, JSON.stringify({ breaches, rows, from, to }), owner, versionId],
    )
    const { isNew, ...alert } = settled[0]!
    return isNew ? append(client, 'OPENED', alert, onEvent) : null
  })
}

/** Says that somebody looks at it. Throws NOT_FOUND, also for another tenant's, and ALERT_STATE for one that is resolved. */
export function acknowledgeAlert(
  database: Database,
  id: string,
  viewer: Viewer,
  onEvent?: OnAlertEvent,
): Promise<Alert> {
  return database.transaction(async (client) => {
    const { rows } = await client.query<Alert>(
      'SELECT * FROM inkling."Alert" WHERE id::text = $1 AND tenant = $2 FOR UPDATE',
      [id.toLowerCase(), viewer.tenant],
    )
    const alert = rows[0]
    if (!alert) throw new InklingError('NOT_FOUND', `There is no alert ${id}.`, 'List the alerts to find its id.')
    if (alert.state === 'ACKNOWLEDGED') return alert
    if (alert.state === 'RESOLVED')
      throw new InklingError('ALERT_STATE', 'The alert is resolved.', 'Nothing to do: it cleared by itself.')
    const { rows: changed } = await client.query<Alert>(
      `UPDATE inkling."Alert" SET state = 'ACKNOWLEDGED', "acknowledgedAt" = clock_timestamp(), "acknowledgedBy" = $2
       WHERE id = $1 RETURNING *`,
      [alert.id, viewer.id],
    )
    await append(client, 'ACKNOWLEDGED', changed[0]!, onEvent)
    return changed[0]!
  })
}

/** Events are numbered under one lock: whoever has read up to a number never misses a smaller one that commits later. */
async function append(
  client: Queryable,
  type: AlertEventType,
  alert: Alert,
  onEvent: OnAlertEvent | undefined,
): Promise<AlertEvent> {
  const { openedAt: _o, seenAt: _s, acknowledgedAt: _a, resolvedAt: _r, ...data } = alert
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('inkling alert events', 0))`)
  const { rows } = await client.query<AlertEvent>(
    `INSERT INTO inkling."AlertEvent" ("alertId", tenant, type, data) VALUES ($1, $2, $3, $4::jsonb) RETURNING *`,
    [alert.id, alert.tenant, type, JSON.stringify(data)],
  )
  await onEvent?.(rows[0]!)
  await client.query(`SELECT pg_notify('${ALERT_CHANNEL}', '')`)
  return rows[0]!
}

export interface AlertList {
  readonly tenant: string
  readonly model?: string | undefined
  readonly states?: readonly AlertState[] | undefined
  readonly first: number
  /** The alert to go on after. */
  readonly after?: { readonly openedAt: string; readonly id: string } | undefined
}

/** Newest first. */
export async function listAlerts(database: Database, list: AlertList): Promise<Alert[]> {
  const { rows } = await database.query<Alert>(
    `SELECT * FROM inkling."Alert" WHERE tenant = $1 AND ($2::text IS NULL OR model = $2)
       AND ($3::text[] IS NULL OR state::text = ANY($3)) AND ($4::timestamptz IS NULL OR ("openedAt", id) < ($4::timestamptz, $5::uuid))
     ORDER BY "openedAt" DESC, id DESC LIMIT $6`,
    [
      list.tenant,
      list.model ?? null,
      list.states ?? null,
      list.after?.openedAt ?? null,
      list.after?.id ?? null,
      list.first,
    ],
  )
  return rows
}

export async function readAlertEvents(
  database: Database,
  tenant: string,
  after: string,
  limit: number,
): Promise<AlertEvent[]> {
  const { rows } = await database.query<AlertEvent>(
    'SELECT * FROM inkling."AlertEvent" WHERE tenant = $1 AND sequence > $2::bigint ORDER BY sequence LIMIT $3',
    [tenant, after, limit],
  )
  return rows
}

export async function findAlertEvent(database: Database, sequence: string): Promise<AlertEvent | null> {
  const { rows } = await database.query<AlertEvent>('SELECT * FROM inkling."AlertEvent" WHERE sequence = $1', [
    sequence,
  ])
  return rows[0] ?? null
}

export async function newestAlertEvent(database: Database, tenant: string): Promise<string> {
  const { rows } = await database.query<{ newest: string }>(
    'SELECT COALESCE(max(sequence), 0) AS newest FROM inkling."AlertEvent" WHERE tenant = $1',
    [tenant],
  )
  return String(rows[0]!.newest)
}
