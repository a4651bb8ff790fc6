import { ascending, type Candidate, type Strategy, type StrategyContext } from './strategy.ts'

/** What was seen longer ago says nothing any more. */
const FORGOTTEN_MS = 600_000

/** By the observed time to the first token and rate. Who has not been seen lately comes first, so that it gets seen. */
export const fastest: Strategy = (candidates, context) =>
  ascending(
    candidates,
    (candidate) => expectedMs(candidate, context) ?? -1,
    ({ observed }, score) => {
      if (score < 0) return 'not seen lately, so it is tried'
      const rate = observed.tokensPerSecond === null ? '' : `, ${Math.round(observed.tokensPerSecond)} tokens/s`
      return `${Math.round(score)} ms expected: first token after ${Math.round(observed.firstTokenMs!)} ms${rate}`
    },
  )

/** Milliseconds until the answer is probably complete; null for who has not been seen lately. */
export function expectedMs({ observed }: Candidate, { now, expectedTokens }: StrategyContext): number | null {
  if (observed.firstTokenMs === null || now - observed.seenAt > FORGOTTEN_MS) return null
  const writing = observed.tokensPerSecond ? (expectedTokens / observed.tokensPerSecond) * 1000 : 0
  return observed.firstTokenMs + writing
}
