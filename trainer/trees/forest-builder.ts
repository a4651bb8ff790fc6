import type { Bins } from './bins.ts'
import { type Forest, MASK_WORDS } from './forest.ts'
import type { GrownTree } from './grow.ts'

/** Collects grown trees into one flat forest, bins turned into thresholds. */
export function createForestBuilder(outputs: number, base: Float64Array, bins: Bins) {
  const parts: Omit<GrownTree, 'order' | 'start' | 'count' | 'bin' | 'low' | 'high'>[] = []
  const thresholds: Float32Array[] = []
  let nodes = 0
  let sets = 0
  return {
    add(tree: GrownTree) {
      const { nodes: count } = tree
      const threshold = new Float32Array(count)
      for (let node = 0; node < count; node++) {
        const f = tree.feature[node]!
        if (f < 0 || tree.mask[node]! >= 0) continue
        const edges = bins.edges[f]!
        // past the last edge every value goes left: the split asks only whether the cell is missing
        threshold[node] = tree.bin[node]! < edges.length ? edges[tree.bin[node]!]! : Number.POSITIVE_INFINITY
      }
      thresholds.push(threshold)
      parts.push({
        nodes: count,
        feature: tree.feature.slice(0, count),
        defaultLeft: tree.defaultLeft.slice(0, count),
        left: tree.left.slice(0, count),
        right: tree.right.slice(0, count),
        value: tree.value.slice(0, count),
        cover: tree.cover.slice(0, count),
        gain: tree.gain.slice(0, count),
        mask: tree.mask.slice(0, count),
        masks: tree.masks.slice(0, tree.sets * MASK_WORDS),
        sets: tree.sets,
      })
      nodes += count
      sets += tree.sets
    },
    finish(): Forest {
      const forest = {
        outputs,
        base,
        roots: new Int32Array(parts.length + 1),
        feature: new Int32Array(nodes),
        threshold: new Float32Array(nodes),
        defaultLeft: new Uint8Array(nodes),
        left: new Int32Array(nodes),
        right: new Int32Array(nodes),
        value: new Float32Array(nodes),
        cover: new Float32Array(nodes),
        gain: new Float32Array(nodes),
        mask: new Int32Array(nodes),
        masks: new Uint32Array(sets * MASK_WORDS),
        levelBins: bins.levelBins,
      }
      let at = 0
      let set = 0
      parts.forEach((part, index) => {
        forest.roots[index] = at
        forest.threshold.set(thresholds[index]!, at)
        forest.masks.set(part.masks, set * MASK_WORDS)
        for (let node = 0; node < part.nodes; node++) {
          const leaf = part.feature[node]! < 0
          forest.feature[at + node] = part.feature[node]!
          forest.defaultLeft[at + node] = leaf ? 0 : part.defaultLeft[node]!
          forest.left[at + node] = leaf ? -1 : part.left[node]! + at
          forest.right[at + node] = leaf ? -1 : part.right[node]! + at
          forest.value[at + node] = leaf ? part.value[node]! : 0
          forest.cover[at + node] = part.cover[node]!
          forest.gain[at + node] = part.gain[node]!
          forest.mask[at + node] = part.mask[node]! < 0 ? -1 : part.mask[node]! + set
        }
        at += part.nodes
        set += part.sets
      })
      forest.roots[parts.length] = at
      return forest
    },
  }
}
