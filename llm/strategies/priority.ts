import { ascending, type Strategy } from './strategy.ts'

/** As configured. */
export const priority: Strategy = (candidates) =>
  ascending(
    candidates,
    ({ target }) => target.priority,
    (_, score) => `priority ${score}`,
  )
