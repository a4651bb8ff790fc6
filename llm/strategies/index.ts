import { cheapest } from './cheapest.ts'
import { fastest } from './fastest.ts'
import { localFirst } from './local-first.ts'
import { priority } from './priority.ts'
import { quality } from './quality.ts'
import type { Strategy } from './strategy.ts'

/** Strategies that need no parameters, by the names that a configuration may use without declaring them. */
export const plainStrategies: Readonly<Record<string, Strategy>> = {
  priority,
  cheapest,
  fastest,
  quality,
  'local-first': localFirst(priority),
}
