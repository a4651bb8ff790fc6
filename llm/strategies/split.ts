import { createHash } from 'node:crypto'
import { byPriority, type Strategy } from './strategy.ts'

/**
 * An A/B split: the key's stable hash chooses who is asked first, in proportion to the shares; equal keys get the same side, in
 * every process. Targets without a share come last, in case the chosen one fails. name: keeps two experiments independent.
 */
export function split(name: string, shares: Readonly<Record<string, number>>): Strategy {
  return (candidates, { key }) => {
    const sorted = [...candidates].sort(byPriority)
    const sides = sorted.filter(({ target }) => (shares[target.name] ?? 0) > 0)
    const total = sides.reduce((sum, { target }) => sum + shares[target.name]!, 0)
    let point = fractionOf(`${name}\n${key}`) * total
    const chosen = sides.find(({ target }) => {
      point -= shares[target.name]!
      return point < 0
    })
    const others = [...sides, ...sorted.filter((candidate) => !sides.includes(candidate))]
    return [...(chosen ? [chosen] : []), ...others.filter((candidate) => candidate !== chosen)].map((candidate) => ({
      candidate,
      why: () =>
        candidate === chosen
          ? `side of ${name} for this key, share ${shares[candidate.target.name]}`
          : `stands in for the chosen side of ${name}`,
    }))
  }
}

/** 0..1, the same for the same text everywhere. */
function fractionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32
}
