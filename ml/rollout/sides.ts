import { isInklingError } from '../../platform/errors.ts'
import type { KeyValues } from '../define.ts'
import type { Outcome } from '../prediction.ts'
import type { ServedVersion } from '../served-version.ts'
import type { Sides } from '../serving.ts'

/** Scores what was read for the asked, in their order. */
export type ScoreAll<Slot, Row> = (
  served: ServedVersion,
  asked: readonly Slot[],
  read: readonly Row[],
) => Promise<Outcome[]>

/**
 * Scores every key by the version whose side it is on: one inference each, from one feature read. A challenger that fails takes no
 * request down: the champion answers in its place, and what a client sees names it.
 */
export async function scoreSides<Slot extends { readonly key: KeyValues }, Row>(
  { champion, versionOf }: Sides,
  asked: readonly Slot[],
  read: readonly Row[],
  score: ScoreAll<Slot, Row>,
): Promise<Outcome[]> {
  const places = Map.groupBy(asked.keys(), (at) => versionOf(asked[at]!.key))
  if (places.size === 1 && places.has(champion)) return score(champion, asked, read)
  const outcomes: Outcome[] = []
  await Promise.all(
    [...places].map(async ([served, group]) => {
      const slots = group.map((at) => asked[at]!)
      const rows = group.map((at) => read[at]!)
      const scored = await score(served, slots, rows).catch((error) => {
        if (served === champion || !isInklingError(error)) throw error
        return score(champion, slots, rows)
      })
      for (const [index, at] of group.entries()) outcomes[at] = scored[index]!
    }),
  )
  return outcomes
}
