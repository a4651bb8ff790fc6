import { type Counter, type Histogram, type Meter, type MeterProvider, metrics } from '@opentelemetry/api'

interface Instruments {
  readonly refusals: Counter
  readonly cache: Counter
  readonly waits: Histogram
  readonly completions: Counter
}

let provider: MeterProvider | null = null
let instruments: Instruments | null = null

/** Unlike tracers, meters made before an SDK is registered stay deaf for ever: they are made anew when the provider changes. */
function current(): Instruments {
  const present = metrics.getMeterProvider()
  if (!instruments || present !== provider) {
    provider = present
    instruments = make(present.getMeter('inkling'))
  }
  return instruments
}

function make(meter: Meter): Instruments {
  return {
    refusals: meter.createCounter('inkling.llm.refusals', {
      description: 'Calls that were not made: no money, no room in the queue, too many requests.',
      unit: '{call}',
    }),
    cache: meter.createCounter('inkling.llm.cache.lookups', {
      description: 'Looks into the cache of answers, by kind and result.',
      unit: '{lookup}',
    }),
    waits: meter.createHistogram('inkling.llm.queue.wait', {
      description: 'How long calls waited for a place at their target.',
      unit: 'ms',
    }),
    completions: meter.createCounter('inkling.llm.completions', {
      description: 'Completions that ended, by where their answer came from and how they ended.',
      unit: '{completion}',
    }),
  }
}

export function countRefusal(why: 'budget' | 'estimate' | 'queue' | 'deadline' | 'rate'): void {
  current().refusals.add(1, { 'inkling.why': why })
}

export function countLookup(kind: 'exact' | 'semantic', isHit: boolean): void {
  current().cache.add(1, { 'inkling.kind': kind, 'inkling.hit': isHit })
}

export function recordWait(target: string, priority: string, ms: number): void {
  current().waits.record(ms, { 'inkling.target': target, 'inkling.priority': priority })
}

export function countCompletion(source: string, end: string): void {
  current().completions.add(1, { 'inkling.source': source, 'inkling.end': end })
}
