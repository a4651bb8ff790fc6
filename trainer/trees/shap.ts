import { type Forest, goesLeft, treeCount } from './forest.ts'

/** What the Shapley values of a forest need beside the row: built once, read for every row. */
export interface ShapTables {
  readonly forest: Forest
  /** Per output, the mean score over the training rows. */
  readonly base: Float64Array
  readonly trees: readonly TreeTables[]
}

/**
 * One tree, its nodes but the root numbered from 0 so that parents come first. "Edge" is the step into a node. Quadrature
 * tables have shape (edges, points).
 */
interface TreeTables {
  readonly output: number
  readonly points: number
  readonly edges: number
  /** Forest node at the end of an edge, and where it starts. */
  readonly node: Int32Array
  readonly from: Int32Array
  readonly isLeft: Uint8Array
  /** Edge into `from`, or -1. */
  readonly parent: Int32Array
  /** Nearest earlier edge on the path that splits by the same column, or -1. */
  readonly previous: Int32Array
  readonly feature: Int32Array
  readonly value: Float64Array
  /** z(1-t) + o*t of the edge's column, for o = 0 at even rows and o = 1 at odd ones: shape (edges, 2, points). */
  readonly factor: Float64Array
  /** One over the factor. */
  readonly inverse: Float64Array
  /** Quadrature weight * (o - z) / factor. */
  readonly share: Float64Array
}

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
  const node = new Int32Array(edges)
  const from = new Int32Array(edges)
  const isLeft = new Uint8Array(edges)
  const parent = new Int32Array(edges)
  const previous = new Int32Array(edges)
  const feature = new Int32Array(edges)
  const value = new Float64Array(edges)
  const reach = new Float64Array(edges)
  let next = 0
  let deepest = 1
  const path: number[] = []

  function visit(at: number, edgeIn: number, columns: number): void {
    deepest = Math.max(deepest, columns)
    const f = forest.feature[at]!
    if (f < 0) {
      value[edgeIn] = forest.value[at]!
      return
    }
    const earlier = path.findLast((edge) => feature[edge] === f) ?? -1
    const whole = forest.cover[forest.left[at]!]! + forest.cover[forest.right[at]!]!
    for (const child of [forest.left[at]!, forest.right[at]!]) {
      const edge = next++
      node[edge] = child
      from[edge] = at
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
  const factor = new Float64Array(edges * 2 * points)
  const inverse = new Float64Array(edges * 2 * points)
  const share = new Float64Array(edges * 2 * points)
  for (let edge = 0; edge < edges; edge++) {
    for (let follows = 0; follows < 2; follows++) {
      for (let q = 0; q < points; q++) {
        const cell = (edge * 2 + follows) * points + q
        const t = moments[q]!
        factor[cell] = reach[edge]! * (1 - t) + follows * t
        inverse[cell] = 1 / factor[cell]!
        share[cell] = weight[q]! * (follows - reach[edge]!) * inverse[cell]!
      }
    }
  }
  return { output, points, edges, node, from, isLeft, parent, previous, feature, value, factor, inverse, share }
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
  let most = 1
  for (const tree of tables.trees) most = Math.max(most, tree.edges * tree.points)
  const product = new Float64Array(most)
  const sum = new Float64Array(most)
  const follows = new Uint8Array(most)
  for (const tree of tables.trees) {
    if (tree.output !== output) continue
    const { points, edges, node, from, isLeft, parent, previous, feature, value, factor, inverse, share } = tree
    for (let i = 0; i < n; i++) {
      const at = i * width
      for (let edge = 0; edge < edges; edge++) {
        const f = feature[edge]!
        const start = from[edge]!
        const earlier = previous[edge]!
        const cell = x[at + f]!
        const left =
          forest.mask[start]! < 0 && !Number.isNaN(cell)
            ? cell <= forest.threshold[start]!
            : goesLeft(forest, start, cell)
        const own = left === (isLeft[edge] === 1) && (earlier < 0 || follows[earlier] === 1) ? 1 : 0
        follows[edge] = own
        const to = edge * points
        const above = parent[edge]! * points
        const row = (edge * 2 + own) * points
        if (earlier >= 0) {
          const old = (earlier * 2 + follows[earlier]!) * points
          for (let q = 0; q < points; q++) product[to + q] = product[above + q]! * factor[row + q]! * inverse[old + q]!
        } else if (above >= 0) {
          for (let q = 0; q < points; q++) product[to + q] = product[above + q]! * factor[row + q]!
        } else {
          for (let q = 0; q < points; q++) product[to + q] = factor[row + q]!
        }
      }
      sum.fill(0, 0, edges * points)
      for (let edge = edges - 1; edge >= 0; edge--) {
        const to = edge * points
        if (forest.feature[node[edge]!]! < 0) {
          const v = value[edge]! * scale
          for (let q = 0; q < points; q++) sum[to + q] = v * product[to + q]!
        }
        const own = (edge * 2 + follows[edge]!) * points
        let phi = 0
        for (let q = 0; q < points; q++) phi += share[own + q]! * sum[to + q]!
        const earlier = previous[edge]!
        if (earlier >= 0) {
          const old = (earlier * 2 + follows[earlier]!) * points
          for (let q = 0; q < points; q++) phi -= share[old + q]! * sum[to + q]!
        }
        values[at + feature[edge]!]! += phi
        if (parent[edge]! < 0) continue
        const above = parent[edge]! * points
        for (let q = 0; q < points; q++) sum[above + q]! += sum[to + q]!
      }
    }
  }
  return scale * tables.base[output]!
}
