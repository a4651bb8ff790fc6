import { randomBytes, randomUUID } from 'node:crypto'
import type { Database, Queryable } from '../../platform/database.ts'
import { InklingError } from '../../platform/errors.ts'
import { CHALLENGER, CHAMPION } from '../alias-names.ts'
import { announce, checkServable, lockAliases, moveAlias } from '../aliases.ts'
import { endRunning } from './ending.ts'
import { BUCKETS, type Experiment, type ExperimentEnd } from './experiment.ts'

export interface NewExperiment {
  readonly kind: string
  readonly name: string
  readonly challengerId: string
  /** The champion that the starter believes in: another one is a CONFLICT. */
  readonly expected?: string | undefined
  readonly plan: unknown
  readonly steps: readonly NewStep[]
  readonly startedBy: string
}

/** A share of the keys, 0..1, from a moment on; from now on when absent. */
export interface NewStep {
  readonly share: number
  readonly at?: Date | undefined
}

export interface Experiments {
  /** Throws CONFLICT when one runs already, NOT_FOUND, ARTEFACT_INVALID, BAD_USER_INPUT. The alias challenger goes along. */
  start(request: NewExperiment): Promise<Experiment>
  /** Replaces the steps that are still to come. Throws NOT_FOUND, CONFLICT when it has ended, BAD_USER_INPUT. */
  ramp(id: string, steps: readonly NewStep[], setBy: string): Promise<Experiment>
  /** Throws NOT_FOUND, CONFLICT when it has ended already. */
  stop(id: string, end: ExperimentEnd): Promise<Experiment>
  /** Keeps the newest judgement of one that runs. */
  judge(id: string, verdict: unknown): Promise<void>
  find(id: string): Promise<Experiment | null>
  /** Newest first. */
  list(kind: string, name: string | null, limit: number): Promise<Experiment[]>
  running(kind: string): Promise<Experiment[]>
}

const COLUMNS = `e."id", e."kind", e."name", e."baselineId", e."challengerId", e."salt", e."plan", e."verdict",
  e."startedAt", e."startedBy", e."endedAt", e."endedBy", e."outcome", e."reason",
  COALESCE((SELECT jsonb_agg(jsonb_build_object('number', s."number", 'buckets', s."buckets", 'at', s."at", 'setBy', s."setBy")
                             ORDER BY s."at", s."number")
            FROM "inkling"."ExperimentStep" s WHERE s."experimentId" = e."id"), '[]') AS "steps"`

export function createExperiments(database: Database): Experiments {
  async function select(client: Queryable, where: string, values: readonly unknown[]): Promise<Experiment[]> {
    const { rows } = await client.query<Experiment>(`SELECT ${COLUMNS} FROM "inkling"."Experiment" e ${where}`, values)
    return rows.map((row) => ({ ...row, steps: row.steps.map((step) => ({ ...step, at: new Date(step.at) })) }))
  }
  async function find(id: string, client: Queryable = database): Promise<Experiment | null> {
    return (await select(client, 'WHERE e."id"::text = $1', [id]))[0] ?? null
  }

  /** Inside the lock, an experiment that runs. */
  function change(id: string, work: (client: Queryable, experiment: Experiment) => Promise<void>): Promise<Experiment> {
    return database.transaction(async (client) => {
      const seen = await find(id, client)
      if (!seen) throw new InklingError('NOT_FOUND', `There is no experiment ${id}.`, 'List those that exist.')
      await lockAliases(client, seen.kind, seen.name)
      const experiment = (await find(id, client))!
      if (experiment.endedAt)
        throw new InklingError(
          'CONFLICT',
          `The experiment ended at ${experiment.endedAt.toISOString()}: ${experiment.outcome}.`,
          'Start another one.',
        )
      await work(client, experiment)
      await announce(client, seen.kind, seen.name)
      return (await find(id, client))!
    })
  }

  return {
    start({ kind, name, challengerId, expected, plan, steps, startedBy }) {
      checkSteps(steps)
      return database.transaction(async (client) => {
        await lockAliases(client, kind, name)
        const { rows } = await client.query<{ versionId: string; running: string | null }>(
          `SELECT a."versionId", (SELECT e."id" FROM "inkling"."Experiment" e
                                  WHERE e."kind" = $1 AND e."name" = $2 AND e."endedAt" IS NULL) AS "running"
           FROM "inkling"."Alias" a WHERE a."kind" = $1 AND a."name" = $2 AND a."alias" = $3`,
          [kind, name, CHAMPION],
        )
        const champion = rows[0]
        if (!champion)
          throw new InklingError('NOT_FOUND', `${name} has no champion to compare with.`, 'Promote a version first.')
        if (champion.running)
          throw new InklingError(
            'CONFLICT',
            `An experiment of ${name} runs already: ${champion.running}.`,
            'Stop it, or ramp it.',
          )
        if (expected !== undefined && expected !== champion.versionId)
          throw new InklingError(
            'CONFLICT',
            `The champion of ${name} is version ${champion.versionId} by now.`,
            'Look at what serves and decide again.',
          )
        await checkServable(client, { kind, name, alias: CHALLENGER }, challengerId)
        if (challengerId === champion.versionId)
          throw new InklingError('BAD_USER_INPUT', 'A version is no challenger of itself.', 'Name another version.')
        const id = randomUUID()
        await client.query(
          `INSERT INTO "inkling"."Experiment" ("id", "kind", "name", "baselineId", "challengerId", "salt", "plan", "startedAt", "startedBy")
           VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, clock_timestamp(), $8)`,
          [
            id,
            kind,
            name,
            champion.versionId,
            challengerId,
            randomBytes(12).toString('hex'),
            JSON.stringify(plan),
            startedBy,
          ],
        )
        await addSteps(client, id, steps, startedBy)
        const movedBy = startedBy
        const reason = `challenges the champion in experiment ${id}`
        await moveAlias(database, { kind, name, alias: CHALLENGER, versionId: challengerId, movedBy, reason })
        return (await find(id, client))!
      })
    },
    ramp(id, steps, setBy) {
      checkSteps(steps)
      return change(id, async (client) => {
        await client.query(
          'DELETE FROM "inkling"."ExperimentStep" WHERE "experimentId" = $1 AND "at" > clock_timestamp()',
          [id],
        )
        await addSteps(client, id, steps, setBy)
      })
    },
    stop: (id, end) =>
      change(id, async (client, { kind, name }) => {
        await endRunning(client, kind, name, end)
      }),
    async judge(id, verdict) {
      await database.query(
        'UPDATE "inkling"."Experiment" SET "verdict" = $2::jsonb WHERE "id" = $1 AND "endedAt" IS NULL',
        [id, JSON.stringify(verdict)],
      )
    },
    find: (id) => find(id),
    list: (kind, name, limit) =>
      select(
        database,
        'WHERE e."kind" = $1 AND ($2::text IS NULL OR e."name" = $2) ORDER BY e."startedAt" DESC, e."id" LIMIT $3',
        [kind, name, limit],
      ),
    running: (kind) => select(database, 'WHERE e."kind" = $1 AND e."endedAt" IS NULL', [kind]),
  }
}

/** The clock is the database's: a step without a moment begins now. */
async function addSteps(client: Queryable, id: string, steps: readonly NewStep[], setBy: string): Promise<void> {
  for (const { share, at } of steps)
    await client.query(
      `INSERT INTO "inkling"."ExperimentStep" ("experimentId", "number", "buckets", "at", "setBy")
       SELECT $1, 1 + COALESCE(max("number"), 0), $2, GREATEST(COALESCE($3::timestamptz, clock_timestamp()), clock_timestamp()), $4
       FROM "inkling"."ExperimentStep" WHERE "experimentId" = $1`,
      [id, Math.round(share * BUCKETS), at ?? null, setBy],
    )
}

const MOST_STEPS = 50

function checkSteps(steps: readonly NewStep[]): void {
  const isWrong = ({ share }: NewStep) => !(share >= 0 && share <= 1)
  if (steps.length === 0 || steps.length > MOST_STEPS || steps.some(isWrong))
    throw new InklingError(
      'BAD_USER_INPUT',
      `An experiment has 1 to ${MOST_STEPS} steps, each a share from 0 to 1.`,
      'Pass steps such as { share: 0.01 }, { share: 0.1, at: "2026-12-01T08:00:00Z" }.',
    )
}
