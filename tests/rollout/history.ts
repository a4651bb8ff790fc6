import { standingOf } from '../../registry/aliases.ts'
import type { AliasMove } from '../../registry/version.ts'

/** What one client asked of the registry and heard. Times are the wall clock's, milliseconds. */
export interface Heard {
  readonly by: string
  readonly op: 'promote' | 'rollback'
  /** The version to promote. */
  readonly versionId?: string
  /** The version that the client believed to be the champion. */
  readonly expected?: string
  readonly startedAt: number
  /** Null: the client died before it heard. */
  readonly endedAt: number | null
  /** The log entry that was acknowledged. */
  readonly sequence?: number
  /** The code of the refusal. */
  readonly refused?: string
}

export interface History {
  readonly heard: readonly Heard[]
  /** The champion's moves as the audit log holds them, in the order of their sequence. */
  readonly log: readonly AliasMove[]
  /** Where the alias points at the end: all rows of it. */
  readonly champions: readonly string[]
}

/** Clocks of one machine, rounded to milliseconds. */
const SLACK_MS = 2

/** Faults of a history: what no registry with one champion at every instant and linear moves can have done. Empty: it may have been so. */
export function faultsOf({ heard, log, champions }: History): string[] {
  const faults: string[] = []
  const fault = (text: string) => faults.push(text)
  if (champions.length !== 1) fault(`there are ${champions.length} champions`)
  if (champions[0] !== log.at(-1)?.toId) fault('the champion is not where the last move points')
  for (const [at, move] of log.entries()) {
    const before = log[at - 1]
    if (move.fromId !== (before?.toId ?? null)) fault(`move ${move.sequence} does not begin where the one before ended`)
    if (before && (move.sequence <= before.sequence || move.movedAt < before.movedAt))
      fault(`move ${move.sequence} is out of order`)
    if (move.act === 'ROLLBACK' && standingOf(log.slice(0, at), 'champion').at(-2) !== move.toId)
      fault(`rollback ${move.sequence} did not go back to the version before`)
  }
  const bySequence = new Map(log.map((move) => [move.sequence, move]))
  const told = new Map<number, Heard>()
  for (const one of heard) {
    if (one.sequence === undefined) continue
    const move = bySequence.get(one.sequence)
    if (!move) fault(`an acknowledged ${one.op} is not in the log`)
    else if (!isAnswer(one, move)) fault(`move ${one.sequence} is not what was asked`)
    if (told.has(one.sequence)) fault(`move ${one.sequence} answers two clients`)
    told.set(one.sequence, one)
  }
  const unheard = heard.filter(({ endedAt }) => endedAt === null)
  for (const move of log)
    if (!told.has(move.sequence)) {
      // Only somebody who died before the answer can have asked for it, once.
      const asker = unheard.findIndex(
        (one) => isAnswer(one, move) && one.startedAt <= move.movedAt.getTime() + SLACK_MS,
      )
      if (asker < 0) fault(`nobody asked for move ${move.sequence}`)
      else unheard.splice(asker, 1)
    }
  faults.push(...disorderOf(told))
  for (const one of heard)
    if (one.refused !== undefined && !isExplained(one, log))
      fault(`${one.op} of ${one.by} was refused with ${one.refused} for no reason`)
  return faults
}

function isAnswer({ op, versionId, expected, startedAt, endedAt }: Heard, move: AliasMove): boolean {
  const at = move.movedAt.getTime()
  if (at < startedAt - SLACK_MS || at > (endedAt ?? Number.POSITIVE_INFINITY) + SLACK_MS) return false
  if (expected !== undefined && move.fromId !== expected) return false
  return op === 'rollback' ? move.act === 'ROLLBACK' : move.act === 'MOVE' && move.toId === versionId
}

/** Whoever ended before another began must stand before it in the log: the order of the log is one that clients can have seen. */
function disorderOf(told: ReadonlyMap<number, Heard>): string[] {
  const faults: string[] = []
  let latestStart = 0
  for (const [sequence, { startedAt, endedAt }] of [...told].sort(([a], [b]) => a - b)) {
    if (endedAt !== null && endedAt + SLACK_MS < latestStart)
      faults.push(`move ${sequence} ended before an earlier one began`)
    latestStart = Math.max(latestStart, startedAt)
  }
  return faults
}

/** A refusal needs an instant between question and answer at which it was right. */
function isExplained({ refused, expected, startedAt, endedAt }: Heard, log: readonly AliasMove[]): boolean {
  const from = log.findLastIndex(({ movedAt }) => movedAt.getTime() < startedAt - SLACK_MS)
  for (let at = from; at < log.length; at++) {
    if (at > from && log[at]!.movedAt.getTime() > endedAt! + SLACK_MS) break
    if (refused === 'CONFLICT' && expected !== undefined && (log[at]?.toId ?? null) !== expected) return true
    if (refused === 'NOT_FOUND' && standingOf(log.slice(0, at + 1), 'champion').length < 2) return true
  }
  return false
}
