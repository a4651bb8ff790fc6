import { MISSING_BIN } from '../trees/bins.ts'
import { type Forest, MASK_WORDS, treeCount } from '../trees/forest.ts'
import type { Graph } from './graph.ts'

/** Columns of TreeEnsembleRegressor's attributes, one entry per ONNX node. */
interface NodeTable {
  readonly tree: number[]
  readonly node: number[]
  readonly feature: number[]
  readonly value: number[]
  readonly mode: string[]
  readonly whenTrue: number[]
  readonly whenFalse: number[]
  readonly missingTrue: number[]
}

/**
 * Scores (N, outputs) of a forest by TreeEnsembleRegressor of ai.onnx.ml 3. A category set becomes a chain of BRANCH_EQ
 * nodes whose true branches meet in one child: ONNX Runtime accepts that, and opset 5's BRANCH_MEMBER is no faster there.
 */
export function applyForest(graph: Graph, forest: Forest, x: string): string {
  const table: NodeTable = {
    tree: [],
    node: [],
    feature: [],
    value: [],
    mode: [],
    whenTrue: [],
    whenFalse: [],
    missingTrue: [],
  }
  const leafTree: number[] = []
  const leafNode: number[] = []
  const leafTarget: number[] = []
  const leafWeight: number[] = []
  const levelsOfBins = forest.levelBins.map((bins) => (bins ? levelsByBin(bins) : null))

  for (let tree = 0; tree < treeCount(forest); tree++) {
    const root = forest.roots[tree]!
    const end = forest.roots[tree + 1]!
    let extra = end - root
    for (let node = root; node < end; node++) {
      const id = node - root
      const feature = forest.feature[node]!
      if (feature < 0) {
        push(table, tree, id, 0, 0, 'LEAF', 0, 0, 0)
        leafTree.push(tree)
        leafNode.push(id)
        leafTarget.push(tree % forest.outputs)
        leafWeight.push(forest.value[node]!)
        continue
      }
      const left = forest.left[node]! - root
      const right = forest.right[node]! - root
      const missingLeft = forest.defaultLeft[node]!
      const levels = levelsOfBins[feature]
      if (forest.mask[node]! < 0 || !levels) {
        push(table, tree, id, feature, forest.threshold[node]!, 'BRANCH_LEQ', left, right, missingLeft)
        continue
      }
      // levels on the side opposite to missing ones are named; everything else, unknown levels too, goes with missing
      const named = namedLevels(forest, node, levels)
      const [chosen, other] = missingLeft ? [right, left] : [left, right]
      if (named.length === 0) {
        push(table, tree, id, feature, Number.NEGATIVE_INFINITY, 'BRANCH_LT', chosen, other, 0)
        continue
      }
      let at = id
      named.forEach((level, index) => {
        const next = index + 1 === named.length ? other : extra++
        push(table, tree, at, feature, level, 'BRANCH_EQ', chosen, next, 0)
        at = next
      })
    }
  }
  return graph.apply(
    'TreeEnsembleRegressor',
    [x],
    {
      n_targets: { integer: forest.outputs },
      aggregate_function: { text: 'SUM' },
      post_transform: { text: 'NONE' },
      base_values: { floats: forest.base },
      nodes_treeids: { integers: table.tree },
      nodes_nodeids: { integers: table.node },
      nodes_featureids: { integers: table.feature },
      nodes_values: { floats: table.value },
      nodes_modes: { texts: table.mode },
      nodes_truenodeids: { integers: table.whenTrue },
      nodes_falsenodeids: { integers: table.whenFalse },
      nodes_missing_value_tracks_true: { integers: table.missingTrue },
      target_treeids: { integers: leafTree },
      target_nodeids: { integers: leafNode },
      target_ids: { integers: leafTarget },
      target_weights: { floats: leafWeight },
    },
    { domain: 'ai.onnx.ml' },
  )
}

function push(
  table: NodeTable,
  tree: number,
  node: number,
  feature: number,
  value: number,
  mode: string,
  whenTrue: number,
  whenFalse: number,
  missingTrue: number,
): void {
  table.tree.push(tree)
  table.node.push(node)
  table.feature.push(feature)
  table.value.push(value)
  table.mode.push(mode)
  table.whenTrue.push(whenTrue)
  table.whenFalse.push(whenFalse)
  table.missingTrue.push(missingTrue)
}

function levelsByBin(bins: Uint8Array): Int32Array {
  const out = new Int32Array(MISSING_BIN).fill(-1)
  bins.forEach((bin, level) => {
    if (bin !== MISSING_BIN) out[bin] = level
  })
  return out
}

function namedLevels(forest: Forest, node: number, levels: Int32Array): number[] {
  const first = forest.mask[node]! * MASK_WORDS
  const out: number[] = []
  for (let bin = 0; bin < MISSING_BIN; bin++) {
    if (levels[bin]! < 0) continue
    const left = (forest.masks[first + (bin >>> 5)]! >>> (bin & 31)) & 1
    if (left !== forest.defaultLeft[node]!) out.push(levels[bin]!)
  }
  return out
}
