import type { Explainer } from '../../trainer/explainer.ts'
import { refused } from './refusal.ts'

/** An explainer out of a file walks trees on the event loop: its trees must end. Throws IMPORT_INVALID. */
export function checkExplainer({ model, spread }: Explainer, width: number): void {
  const wrong = (why: string) => refused(`its explainer is damaged: ${why}`, 'Export the version again.')
  const { forest, linear, columns } = model
  if (columns?.length !== width || model.outputs !== 1) throw wrong('it is about other columns')
  if (!forest && !linear) throw wrong('it holds no model')
  if (forest) {
    const { roots, feature, left, right, threshold, value, cover, mask, masks, defaultLeft, levelBins } = forest
    const nodes = feature.length
    if ([left, right, threshold, value, cover, mask, defaultLeft].some((values) => values.length !== nodes))
      throw wrong('its trees have columns of different lengths')
    if (roots[0] !== 0 || roots.at(-1) !== nodes || forest.base.length !== 1) throw wrong('its trees do not add up')
    for (let tree = 0; tree + 1 < roots.length; tree++) {
      const end = roots[tree + 1]!
      for (let node = roots[tree]!; node < end; node++) {
        if (feature[node]! >= width) throw wrong(`a node looks at column ${feature[node]}`)
        if (feature[node]! < 0) continue
        // children stand after their parent and in its tree: no way leads back
        for (const child of [left[node]!, right[node]!])
          if (!(child > node && child < end)) throw wrong('a tree leads back to where it came from')
        const set = mask[node]!
        if (set >= 0 && (8 * (set + 1) > masks.length || !levelBins[feature[node]!]))
          throw wrong('a set of levels is missing')
      }
    }
  }
  if (linear && linear.outputs !== 1) throw wrong('its linear part has other outputs')
  if (spread && spread.kind !== 'venn-abers') throw wrong('its intervals are none of probabilities')
}
