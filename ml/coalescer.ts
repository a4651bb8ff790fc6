import { AsyncLocalStorage } from 'node:async_hooks'

/** Joins calls that come from different requests at about the same time into one run. */
export interface Coalescer<Part, Answer> {
  /** The part's own answer. A part that fails takes no other part with it. */
  call(part: Part): Promise<Answer>
}

export interface CoalescerOptions<Part, Answer> {
  /** One answer per part, in their order. */
  run(parts: readonly Part[]): Promise<readonly Answer[]>
  sizeOf(part: Part): number
  /** A run holds at most so much, unless a single part is larger. */
  readonly most: number
  /** Runs that are under way at once; a part that finds one of these places free waits for nobody. */
  readonly lanes: number
  /** Parts of so much together are worth a place of their own, where several are free. */
  readonly worthwhile: number
  /** The longest that a part waits for a free place, in milliseconds: then it runs beside them. */
  readonly waitMs: number
}

interface Waiting<Part, Answer> {
  readonly part: Part
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * A part that finds a place free runs together with whatever else is asked in the same turn: a lone request never waits. While all places are
 * taken, parts gather until one is free, until they fill a run, or until the oldest has waited `waitMs`. When a joint run fails, each
 * part runs by itself.
 */
export function createCoalescer<Part, Answer>(options: CoalescerOptions<Part, Answer>): Coalescer<Part, Answer> {
  const { run, sizeOf, most, lanes, worthwhile, waitMs } = options
  // A run serves many requests: it must not inherit the transaction or the span of the one that happened to start it.
  const outside = AsyncLocalStorage.snapshot()
  let waiting: Waiting<Part, Answer>[] = []
  let waitingSize = 0
  let running = 0
  let isGathering = false
  let timer: NodeJS.Timeout | undefined

  function takeRun(enough: number): Waiting<Part, Answer>[] {
    let count = 0
    let size = 0
    while (count < waiting.length && (count === 0 || (size < enough && size + sizeOf(waiting[count]!.part) <= most)))
      size += sizeOf(waiting[count++]!.part)
    const taken = waiting.slice(0, count)
    waiting = waiting.slice(count)
    waitingSize -= size
    return taken
  }
  /** Starts runs in the places that are free; the parts that are left wait on. */
  function fill(): void {
    while (waiting.length > 0 && running < lanes)
      void start(takeRun(Math.max(worthwhile, waitingSize / (lanes - running))))
    waitOn()
  }
  function flush(): void {
    while (waiting.length > 0) void start(takeRun(most))
    waitOn()
  }
  function waitOn(): void {
    clearTimeout(timer)
    timer = waiting.length > 0 ? setTimeout(flush, waitMs) : undefined
  }
  /** Once every promise job of this turn is done: what they still ask belongs to the run. */
  function gather(): void {
    if (isGathering) return
    isGathering = true
    void Promise.resolve().then(() =>
      process.nextTick(() => {
        isGathering = false
        fill()
      }),
    )
  }
  async function start(entries: readonly Waiting<Part, Answer>[]): Promise<void> {
    running++
    try {
      const answers = await outside(
        run,
        entries.map(({ part }) => part),
      )
      for (const [index, { resolve }] of entries.entries()) resolve(answers[index]!)
    } catch (error) {
      if (entries.length === 1) entries[0]!.reject(error)
      else await Promise.all(entries.map((entry) => startAlone(entry)))
    } finally {
      running--
      if (waiting.length > 0) gather()
    }
  }
  async function startAlone({ part, resolve, reject }: Waiting<Part, Answer>): Promise<void> {
    try {
      const [answer] = await outside(run, [part])
      resolve(answer!)
    } catch (error) {
      reject(error)
    }
  }

  return {
    call(part) {
      return new Promise((resolve, reject) => {
        waiting.push({ part, resolve, reject })
        waitingSize += sizeOf(part)
        if (waitingSize >= most) flush()
        else if (running < lanes) gather()
        else timer ??= setTimeout(flush, waitMs)
      })
    },
  }
}
