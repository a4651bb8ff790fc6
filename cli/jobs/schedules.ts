import { InvalidArgumentError } from 'commander'
import { InklingError } from '../../platform/errors.ts'
import type { Graph } from './graph.ts'
import { payloadOf } from './operations.ts'
import { moment } from './print.ts'

export interface ScheduleRow {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly input: unknown
  readonly expression: string
  readonly timeZone: string
  readonly missed: string
  readonly overlap: string
  readonly isPaused: boolean
  readonly nextAt: string | null
  readonly nextRuns: readonly string[]
  readonly lastAt: string | null
  readonly lastJob: { id: string; state: string } | null
  readonly problem: string | null
}

interface SchedulePage {
  readonly schedules: {
    readonly nodes: readonly ScheduleRow[]
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  }
}

const FIELDS =
  'id name kind input expression timeZone missed overlap isPaused nextAt lastAt nextRuns(first: 3) lastJob { id state } problem'

export async function listSchedules(graph: Graph): Promise<ScheduleRow[]> {
  const text = `query ($after: String) { schedules(first: 100, after: $after) { nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } } }`
  const rows: ScheduleRow[] = []
  for (let after: string | null = null; ; ) {
    const { schedules }: SchedulePage = await graph.ask<SchedulePage>(text, { after })
    rows.push(...schedules.nodes)
    after = schedules.pageInfo.endCursor
    if (!schedules.pageInfo.hasNextPage) return rows
  }
}

/** By its name, its id or the beginning of its id. Throws NOT_FOUND. */
export async function findSchedule(graph: Graph, given: string): Promise<ScheduleRow> {
  const all = await listSchedules(graph)
  const found = all.find(({ name, id }) => name === given || id === given)
  const byStart = given.length >= 4 ? all.filter(({ id }) => id.startsWith(given)) : []
  if (found) return found
  if (byStart.length === 1) return byStart[0]!
  throw new InklingError(
    'NOT_FOUND',
    `There is no schedule ${given}.`,
    '`inkling jobs schedule list` shows their names.',
  )
}

export async function createSchedule(graph: Graph, input: object): Promise<ScheduleRow> {
  return change(graph, 'createSchedule', 'CreateScheduleInput', input)
}

export async function changeSchedule(
  graph: Graph,
  verb: 'pauseSchedule' | 'resumeSchedule' | 'deleteSchedule',
  given: string,
): Promise<ScheduleRow> {
  return change(graph, verb, 'ScheduleInput', { id: (await findSchedule(graph, given)).id })
}

/** Resolves with the id of the new job. */
export async function triggerSchedule(graph: Graph, given: string): Promise<{ id: string; state: string }> {
  const { id } = await findSchedule(graph, given)
  const text = `mutation ($input: ScheduleInput!) { result: triggerSchedule(input: $input) {
    ... on TriggerSchedulePayload { job { id state } } ... on Error { code message hint } } }`
  return payloadOf<{ job: { id: string; state: string } }>(await graph.ask(text, { input: { id } })).job
}

export async function previewRuns(
  graph: Graph,
  expression: string,
  timeZone: string,
  first: number,
): Promise<string[]> {
  const text = `query ($expression: String!, $timeZone: String!, $first: Int!) {
    nextRuns(expression: $expression, timeZone: $timeZone, first: $first) }`
  return (await graph.ask<{ nextRuns: string[] }>(text, { expression, timeZone, first })).nextRuns
}

async function change(graph: Graph, verb: string, inputType: string, input: object): Promise<ScheduleRow> {
  const payload = `${verb[0]!.toUpperCase()}${verb.slice(1)}Payload`
  const text = `mutation ($input: ${inputType}!) { result: ${verb}(input: $input) {
    ... on ${payload} { schedule { ${FIELDS} } } ... on Error { code message hint } } }`
  return payloadOf<{ schedule: ScheduleRow }>(await graph.ask(text, { input })).schedule
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}`)
  }
}

export function printSchedules(schedules: readonly ScheduleRow[]): string {
  if (schedules.length === 0) return 'no schedules\n'
  return schedules.map((schedule) => printSchedule(schedule)).join('')
}

export function printSchedule(schedule: ScheduleRow): string {
  const { id, name, kind, input, expression, timeZone, missed, overlap, isPaused, nextRuns, lastAt, lastJob, problem } =
    schedule
  const lines = [
    `${name}  ${isPaused ? 'PAUSED  ' : ''}${expression.replaceAll('\n', ' ')}  ${timeZone}`,
    `  ${id}  starts ${kind} ${JSON.stringify(input)}; missed runs: ${missed}, overlapping: ${overlap}`,
    `  next ${nextRuns.length > 0 ? printMoments(nextRuns, timeZone).join(', ') : 'never'}`,
  ]
  if (lastAt) lines.push(`  last ${moment(lastAt)}${lastJob ? `  job ${lastJob.id.slice(0, 8)} ${lastJob.state}` : ''}`)
  if (problem) lines.push(`  ${problem}`)
  return `${lines.join('\n')}\n`
}

/** On the clock of the schedule, with its offset. */
export function printMoments(moments: readonly string[], timeZone: string): string[] {
  const format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const offset = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'shortOffset' })
  return moments.map((text) => {
    const at = new Date(text)
    const zone = offset.formatToParts(at).find(({ type }) => type === 'timeZoneName')!.value
    return `${format.format(at)} ${zone}`
  })
}
