import { ascending, type Strategy } from './strategy.ts'

/** By what the answer will probably cost, prompt caches included. */
export const cheapest: Strategy = (candidates) =>
  ascending(
    candidates,
    ({ expectedUsd }) => expectedUsd,
    ({ observed }, score) => {
      const cached = observed.cachedShare > 0 ? `, ${Math.round(observed.cachedShare * 100)} % of its input cached` : ''
      return `${Number(score.toPrecision(3))} USD expected${cached}`
    },
  )
