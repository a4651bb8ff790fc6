import type { Strategy } from './strategy.ts'

/** Who runs on machines of one's own comes first, then the others; each half in the order of another strategy. */
export function localFirst(then: Strategy): Strategy {
  return (candidates, context) => {
    const isLocal = (tags: readonly string[]) => tags.includes('local')
    return [
      ...then(
        candidates.filter(({ target }) => isLocal(target.tags)),
        context,
      ).map(({ candidate, why }) => ({ candidate, why: () => `local; ${why()}` })),
      ...then(
        candidates.filter(({ target }) => !isLocal(target.tags)),
        context,
      ).map(({ candidate, why }) => ({ candidate, why: () => `remote; ${why()}` })),
    ]
  }
}
