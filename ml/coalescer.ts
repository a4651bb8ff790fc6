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
  /** The longest that a part waits for company, in milliseconds. */
  readonly waitMs: number
}

interface Waiting<Part, Answer> {
  readonly part: Part
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * A part that finds nothing running runs at once: a lone request never waits. While a run is under way, parts gather until it
 * ends, until they fill a run, or until the oldest has waited `waitMs`. When a joint run fails, each part runs by itself.
 */
export function createCoalescer<Part, Answer>(options: CoalescerOptions<Part, Answer>): Coalescer<Part, Answer> {
  const { run, sizeOf, most, waitMs } = options
  // A run serves many requests: it must not inherit the transaction or the span of the one that happened to start it.
  const outside = AsyncLocalStorage.snapshot()
  let waiting: Waiting<Part, Answer>[] = []
  let waitingSize = 0
  let running = 0
  let timer: NodeJS.Timeout | undefined

  function takeRun(): Waiting<Part, Answer>[] {
    let count = 0
    let size = 0
    while (count < waiting.length && (count === 0 || size + sizeOf(waiting[count]!.part) <= most))
      size += sizeOf(waiting[count++]!.part)
    const taken = waiting.slice(0, count)
    waiting = waiting.slice(count)
    waitingSize -= size
    return taken
  }
  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    while (waiting.length > 0) void start(takeRun())
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
      flush()
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
        if (running === 0 || waitingSize >= most) flush()
        else timer ??= setTimeout(flush, waitMs)
      })
    },
  }
}
