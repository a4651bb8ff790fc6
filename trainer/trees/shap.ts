import { type Forest, goesLeft, treeCount } from './forest.ts'

/** What the Shapley values of a forest need beside the row: built once, read for every row. */
export interface ShapTables {
  readonly forest: Forest
  /** Per output, the mean score over the training rows. */
  readonly base: Float64Array
  readonly trees: readonly TreeTables[]
}

/**
 * One tree. "Edge" is the step into a node; edges are numbered so that parents come first. What an edge does to a product depends
 * on the row in three cases: it leaves the path of its column here (1) or has left it before (0), or follows it still (2).
 */
interface TreeTables {
  readonly output: number
  /** Quadrature points. */
  readonly points: number
  readonly edges: number
  /** Splits of the tree, as forest nodes. */
  readonly splits: Int32Array
  /** The split that an edge starts at, and whether it goes left there. */
  readonly split: Int32Array
  readonly isLeft: Uint8Array
  /** Edge into the split, or -1. */
  readonly parent: Int32Array
  /** Nearest earlier edge on the path that splits by the same column, or -1. */
  readonly previous: Int32Array
  readonly feature: Int32Array
  readonly isLeaf: Uint8Array
  readonly value: Float64Array
  /** Factor of the edge's column, z(1-t) + o*t, over its factor before this edge: shape (edges, 3, points). */
  readonly ratio: Float64Array
  /** Quadrature weight * (o - z) / factor, less the same before this edge: shape (edges, 3, points). */
  readonly share: Float64Array
}

const CASES = 3

/**
 * Path-dependent Shapley values (Lundberg et al. 2020) computed as an integral: for the column i of a leaf's path,
 * phi_i = v (o_i - z_i) * integral over t of the product over j != i of z_j (1-t) + o_j t, where z is the share of rows that
 * follow the path's splits by the column and o whether this row does. Gauss-Legendre with half as many points as columns is exact,
 * and partial products are shared down the tree and partial sums up it, as Yu et al. 2022 (Linear TreeSHAP) share polynomials.
 */
export function createShapTables(forest: Forest): ShapTables {
  const base = Float64Array.from(forest.base)
  const trees: TreeTables[] = []
  for (let tree = 0; tree < treeCount(forest); tree++) {
    const root = forest.roots[tree]!
    const output = tree % forest.outputs
    base[output]! += meanBelow(forest, root)
    if (forest.feature[root]! >= 0) trees.push(tablesOf(forest, root, forest.roots[tree + 1]! - root, output))
  }
  return { forest, base, trees }
}

function meanBelow(forest: Forest, node: number): number {
  if (forest.feature[node]! < 0) return forest.value[node]!
  const left = forest.left[node]!
  const right = forest.right[node]!
  const whole = forest.cover[left]! + forest.cover[right]!
  return (forest.cover[left]! * meanBelow(forest, left) + forest.cover[right]! * meanBelow(forest, right)) / whole
}

function tablesOf(forest: Forest, root: number, nodes: number, output: number): TreeTables {
  const edges = nodes - 1
  const splits = new Int32Array(edges / 2)
  const split = new Int32Array(edges)
  const isLeft = new Uint8Array(edges)
  const parent = new Int32Array(edges)
  const previous = new Int32Array(edges)
  const feature = new Int32Array(edges)
  const isLeaf = new Uint8Array(edges)
  const value = new Float64Array(edges)
  /** Share of the training rows that follows all splits by the edge's column down to its end. */
  const reach = new Float64Array(edges)
  let nextEdge = 0
  let nextSplit = 0
  let deepest = 1
  const path: number[] = []

  function visit(at: number, edgeIn: number, columns: number): void {
    deepest = Math.max(deepest, columns)
    const f = forest.feature[at]!
    if (f < 0) {
      isLeaf[edgeIn] = 1
      value[edgeIn] = forest.value[at]!
      return
    }
    const own = nextSplit++
    splits[own] = at
    const earlier = path.findLast((edge) => feature[edge] === f) ?? -1
    const whole = forest.cover[forest.left[at]!]! + forest.cover[forest.right[at]!]!
    for (const child of [forest.left[at]!, forest.right[at]!]) {
      const edge = nextEdge++
      split[edge] = own
      isLeft[edge] = child === forest.left[at]! ? 1 : 0
      parent[edge] = edgeIn
      previous[edge] = earlier
      feature[edge] = f
      reach[edge] = (forest.cover[child]! / whole) * (earlier < 0 ? 1 : reach[earlier]!)
      path.push(edge)
      visit(child, edge, columns + (earlier < 0 ? 1 : 0))
      path.pop()
    }
  }
  visit(root, -1, 0)

  const points = Math.ceil(deepest / 2)
  const { at: moments, weight } = gaussLegendre(points)
  const ratio = new Float64Array(edges * CASES * points)
  const share = new Float64Array(edges * CASES * points)
  for (let edge = 0; edge < edges; edge++) {
    const earlier = previous[edge]!
    for (let kind = 0; kind < CASES; kind++) {
      const follows = kind === 2 ? 1 : 0
      const followed = kind === 0 ? 0 : 1
      for (let q = 0; q < points; q++) {
        const t = moments[q]!
        const cell = (edge * CASES + kind) * points + q
        const now = reach[edge]! * (1 - t) + follows * t
        const before = earlier < 0 ? 1 : reach[earlier]! * (1 - t) + followed * t
        const worthBefore = earlier < 0 ? 0 : (followed - reach[earlier]!) / before
        ratio[cell] = now / before
        share[cell] = weight[q]! * ((follows - reach[edge]!) / now - worthBefore)
      }
    }
  }
  return { output, points, edges, splits, split, isLeft, parent, previous, feature, isLeaf, value, ratio, share }
}

/** Points and weights of Gauss-Legendre quadrature on 0..1, by Newton's method on the Legendre polynomial. */
export function gaussLegendre(points: number): { at: Float64Array; weight: Float64Array } {
  const at = new Float64Array(points)
  const weight = new Float64Array(points)
  for (let i = 0; i < points; i++) {
    let z = Math.cos((Math.PI * (i + 0.75)) / (points + 0.5))
    let slope = 0
    for (let turn = 0; turn < 100; turn++) {
      let here = 1
      let before = 0
      for (let k = 1; k <= points; k++) {
        const older = before
        before = here
        here = ((2 * k - 1) * z * before - (k - 1) * older) / k
      }
      slope = (points * (z * here - before)) / (z * z - 1)
      const step = here / slope
      z -= step
      if (Math.abs(step) < 1e-15) break
    }
    at[i] = (1 - z) / 2
    weight[i] = 1 / ((1 - z * z) * slope * slope)
  }
  return { at, weight }
}

/** Adds scale * Shapley values of one output to values (n, width). No allocation per row. Returns scale * the base score. */
export function addForestContributions(
  tables: ShapTables,
  x: Float32Array,
  n: number,
  width: number,
  output: number,
  scale: number,
  values: Float64Array,
): number {
  const { forest } = tables
  let mostEdges = 1
  let mostSums = 1
  for (const tree of tables.trees) {
    mostEdges = Math.max(mostEdges, tree.edges)
    mostSums = Math.max(mostSums, tree.edges * tree.points)
  }
  const product = new Float64Array(mostSums)
  const sum = new Float64Array(mostSums)
  const kind = new Uint8Array(mostEdges)
  const wentLeft = new Uint8Array(mostEdges)
  for (const tree of tables.trees) {
    if (tree.output !== output) continue
    for (let row = 0; row < n; row++) {
      follow(forest, tree, x, row * width, wentLeft)
      multiplyDown(tree, wentLeft, kind, product)
      addUp(tree, kind, product, sum, scale, values, row * width)
    }
  }
  return scale * tables.base[output]!
}

function follow(forest: Forest, { splits }: TreeTables, x: Float32Array, at: number, wentLeft: Uint8Array): void {
  const { feature, mask, threshold } = forest
  for (let s = 0; s < splits.length; s++) {
    const node = splits[s]!
    const cell = x[at + feature[node]!]!
    const isPlain = mask[node]! < 0 && !Number.isNaN(cell)
    wentLeft[s] = (isPlain ? cell <= threshold[node]! : goesLeft(forest, node, cell)) ? 1 : 0
  }
}

/** Fills each edge's case and the product of its path's factors at every point. */
function multiplyDown(tree: TreeTables, wentLeft: Uint8Array, kind: Uint8Array, product: Float64Array): void {
  const { points, edges, split, isLeft, parent, previous, ratio } = tree
  for (let edge = 0; edge < edges; edge++) {
    const earlier = previous[edge]!
    const followed = earlier < 0 || kind[earlier] === 2
    const own = followed ? (wentLeft[split[edge]!] === isLeft[edge] ? 2 : 1) : 0
    kind[edge] = own
    const to = edge * points
    const above = parent[edge]! * points
    const from = (edge * CASES + own) * points
    if (above < 0) for (let q = 0; q < points; q++) product[to + q] = ratio[from + q]!
    else for (let q = 0; q < points; q++) product[to + q] = product[above + q]! * ratio[from + q]!
  }
}

/** Sums leaves' values times products from the bottom, and takes each edge's share of what is below it. */
function addUp(
  tree: TreeTables,
  kind: Uint8Array,
  product: Float64Array,
  sum: Float64Array,
  scale: number,
  values: Float64Array,
  at: number,
): void {
  const { points, edges, parent, feature, isLeaf, value, share } = tree
  sum.fill(0, 0, edges * points)
  for (let edge = edges - 1; edge >= 0; edge--) {
    const own = edge * points
    const from = (edge * CASES + kind[edge]!) * points
    const above = parent[edge]! * points
    let phi = 0
    if (isLeaf[edge] === 1) {
      const leaf = value[edge]! * scale
      for (let q = 0; q < points; q++) {
        const part = leaf * product[own + q]!
        phi += share[from + q]! * part
        if (above >= 0) sum[above + q]! += part
      }
    } else {
      for (let q = 0; q < points; q++) {
        const part = sum[own + q]!
        phi += share[from + q]! * part
        if (above >= 0) sum[above + q]! += part
      }
    }
    values[at + feature[edge]!]! += phi
  }
}
