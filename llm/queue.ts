import { InklingError } from '../platform/errors.ts'
import { countRefusal, recordWait } from './meter.ts'
import type { Limits } from './target.ts'

export type Priority = 'interactive' | 'batch'

export interface Ticket {
  readonly target: string
  readonly limits: Limits
  readonly tenant: string
  readonly priority: Priority
  /** Expected tokens, in and out, against tokensPerMinute. */
  readonly tokens: number
  /** Aborted when the caller left or its deadline passed: whoever waits for nobody makes room. */
  readonly signal: AbortSignal
}

/** A place at a target. */
export interface Place {
  /** Gives the place back, once. usedTokens corrects what was expected. */
  leave(usedTokens?: number): void
}

/** Where calls wait for a place at their target: by priority with ageing, in turns between tenants, within the target's limits. */
export interface Queue {
  /** Throws LLM_OVERLOADED when the queue is full, CANCELLED when the signal aborts first. */
  enter(ticket: Ticket): Promise<Place>
  status(): readonly { readonly target: string; readonly running: number; readonly waiting: number }[]
}

export interface QueueOptions {
  /** Calls that may wait at one target. */
  readonly most?: number
  /** A batch call that has waited so long counts as an interactive one. */
  readonly ageingMs?: number
  readonly clock?: () => number
}

interface Waiting {
  readonly ticket: Ticket
  readonly since: number
  readonly settle: (place: Place) => void
}

interface Line {
  limits: Limits
  running: number
  readonly waiting: Set<Waiting>
  /** Tenant -> tokens served so far, on one scale: whoever has the least goes next. */
  readonly served: Map<string, number>
  /** What the last one served had: a tenant that comes anew starts there, and cannot make good for its absence. */
  floor: number
  requests: Bucket
  tokens: Bucket
  timer: NodeJS.Timeout | null
}

/** An allowance that fills evenly over a minute. It may go below zero: one call larger than a minute's allowance has to be possible. */
interface Bucket {
  level: number
  at: number
}

export function createQueue({
  most = 1_000,
  ageingMs = 10_000,
  clock = () => performance.now(),
}: QueueOptions = {}): Queue {
  const lines = new Map<string, Line>()

  function lineOf({ target, limits }: Ticket): Line {
    let line = lines.get(target)
    if (!line) {
      const full = (perMinute: number | null) => ({ level: perMinute ?? 0, at: clock() })
      line = {
        limits,
        running: 0,
        waiting: new Set(),
        served: new Map(),
        floor: 0,
        requests: full(limits.requestsPerMinute),
        tokens: full(limits.tokensPerMinute),
        timer: null,
      }
      lines.set(target, line)
    }
    line.limits = limits
    return line
  }

  /** Milliseconds until the target's rates allow another call; 0 when they do. */
  function pause(line: Line): number {
    const { requestsPerMinute, tokensPerMinute } = line.limits
    return Math.max(refill(line.requests, requestsPerMinute, 1), refill(line.tokens, tokensPerMinute, 0))
  }
  function refill(bucket: Bucket, perMinute: number | null, needed: number): number {
    if (perMinute === null) return 0
    const now = clock()
    bucket.level = Math.min(bucket.level + ((now - bucket.at) * perMinute) / 60_000, perMinute)
    bucket.at = now
    const missing = needed > 0 ? needed - bucket.level : bucket.level > 0 ? 0 : 1e-6 - bucket.level
    return missing <= 1e-9 ? 0 : Math.ceil((missing * 60_000) / perMinute)
  }

  /** Interactive and aged calls first; among them the tenant served least; within it the one that came first. */
  function next(line: Line): Waiting | null {
    const now = clock()
    let best: Waiting | null = null
    let bestRank = Number.POSITIVE_INFINITY
    let bestServed = Number.POSITIVE_INFINITY
    for (const candidate of line.waiting) {
      const { priority, tenant } = candidate.ticket
      const rank = priority === 'interactive' || now - candidate.since >= ageingMs ? 0 : 1
      const served = line.served.get(tenant) ?? line.floor
      if (rank < bestRank || (rank === bestRank && served < bestServed)) {
        best = candidate
        bestRank = rank
        bestServed = served
      }
    }
    return best
  }

  function admit(line: Line): void {
    while (line.waiting.size > 0 && line.running < (line.limits.concurrency ?? Number.POSITIVE_INFINITY)) {
      const wait = pause(line)
      if (wait > 0) {
        line.timer ??= setTimeout(() => {
          line.timer = null
          admit(line)
        }, wait).unref()
        return
      }
      const chosen = next(line)!
      line.waiting.delete(chosen)
      chosen.settle(take(line, chosen))
    }
    if (line.waiting.size === 0 && line.running === 0) line.served.clear()
  }

  function take(line: Line, { ticket, since }: Waiting): Place {
    const { tenant, tokens } = ticket
    line.running++
    const served = Math.max(line.served.get(tenant) ?? line.floor, line.floor)
    line.floor = served
    line.served.set(tenant, served + Math.max(tokens, 1))
    line.requests.level -= 1
    line.tokens.level -= tokens
    recordWait(ticket.target, ticket.priority, clock() - since)
    let isLeft = false
    return {
      leave(usedTokens = tokens) {
        if (isLeft) return
        isLeft = true
        line.running--
        line.tokens.level += tokens - usedTokens
        admit(line)
      },
    }
  }

  return {
    enter(ticket) {
      const line = lineOf(ticket)
      if (ticket.signal.aborted) return Promise.reject(gone())
      if (line.waiting.size >= most) {
        countRefusal('queue')
        return Promise.reject(full(ticket.target, most))
      }
      return new Promise((resolve, reject) => {
        const leave = () => {
          line.waiting.delete(waiting)
          countRefusal('deadline')
          reject(gone())
        }
        const waiting: Waiting = {
          ticket,
          since: clock(),
          settle(place) {
            ticket.signal.removeEventListener('abort', leave)
            resolve(place)
          },
        }
        ticket.signal.addEventListener('abort', leave, { once: true })
        line.waiting.add(waiting)
        admit(line)
      })
    },
    status: () => [...lines].map(([target, { running, waiting }]) => ({ target, running, waiting: waiting.size })),
  }
}

function full(target: string, most: number): InklingError {
  return new InklingError(
    'LLM_OVERLOADED',
    `${most} calls wait for ${target} already.`,
    'Try again later, or raise the limits of the target in the configuration.',
  )
}

function gone(): InklingError {
  return new InklingError('CANCELLED', 'The call was given up before its turn came.', 'Ask again, with more time.')
}
