import type { OnnxNode } from './onnx-node.ts'
import { refused, shown } from './refusal.ts'

/** Nodes of all trees: 2 million are a forest of 8,000 trees with 127 leaves. */
const MOST_NODES = 2_000_000
/** ONNX Runtime walks trees by recursion when it loads them. */
const MOST_DEPTH = 512
const modes = new Set('BRANCH_LEQ BRANCH_LT BRANCH_GTE BRANCH_GT BRANCH_EQ BRANCH_NEQ LEAF'.split(' '))
const transforms = new Set(['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT'])

/**
 * The columns that an operator of ai.onnx.ml reads without looking whether they are there, and must be given exactly; null when
 * it reads whatever comes. Throws IMPORT_INVALID for parameters that contradict each other: ONNX Runtime trusts them.
 */
export function columnsRead(node: OnnxNode): number | null {
  const { operator } = node
  if (operator === 'TreeEnsembleClassifier' || operator === 'TreeEnsembleRegressor') return checkTrees(node)
  const floats = (name: string) => node.attributes.get(name)?.floats ?? []
  if (operator === 'Scaler') {
    const width = floats('scale').length
    const shift = floats('offset').length
    if (width !== shift && shift !== 0 && width !== 0) throw contradiction(node, 'offset and scale differ in length')
    return Math.max(width, shift) > 1 ? Math.max(width, shift) : null
  }
  if (operator === 'Imputer') {
    const width = Math.max(floats('imputed_value_floats').length, integers(node, 'imputed_value_int64s').length)
    return width > 1 ? width : null
  }
  if (operator === 'LinearClassifier' || operator === 'LinearRegressor') return checkLinear(node, floats)
  return null
}

function checkLinear(node: OnnxNode, floats: (name: string) => readonly number[]): number {
  const coefficients = floats('coefficients').length
  const intercepts = floats('intercepts').length
  const isClassifier = node.operator === 'LinearClassifier'
  const outputs = isClassifier ? intercepts : (node.attributes.get('targets')?.integer ?? 1)
  if (!(outputs >= 1) || coefficients === 0 || coefficients % outputs !== 0)
    throw contradiction(node, `${coefficients} coefficients do not make ${outputs} outputs`)
  if (!isClassifier && intercepts !== 0 && intercepts !== outputs)
    throw contradiction(node, `${intercepts} intercepts for ${outputs} outputs`)
  if (isClassifier) {
    const labels = labelsOf(node)
    if (labels !== outputs && !(labels === 2 && outputs === 1))
      throw contradiction(node, `${labels} labels for ${outputs} scores`)
  }
  checkTransform(node)
  return coefficients / outputs
}

function checkTrees(node: OnnxNode): number {
  const count = integers(node, 'nodes_nodeids').length
  if (count === 0 || count > MOST_NODES) throw contradiction(node, `it has ${count} nodes`)
  const column = (name: string) => {
    const values = integers(node, name)
    if (values.length !== count) throw contradiction(node, `${name} has ${values.length} entries for ${count} nodes`)
    return values
  }
  const trees = column('nodes_treeids')
  const ids = column('nodes_nodeids')
  const features = column('nodes_featureids')
  const whenTrue = column('nodes_truenodeids')
  const whenFalse = column('nodes_falsenodeids')
  const mode = node.attributes.get('nodes_modes')?.texts ?? []
  if (mode.length !== count) throw contradiction(node, `nodes_modes has ${mode.length} entries for ${count} nodes`)
  if (numbersIn(node, 'nodes_values') !== count) throw contradiction(node, 'nodes_values has another length')
  for (const name of ['nodes_hitrates', 'nodes_missing_value_tracks_true']) {
    const length = name === 'nodes_hitrates' ? numbersIn(node, name) : integers(node, name).length
    if (length !== 0 && length !== count) throw contradiction(node, `${name} has ${length} entries for ${count} nodes`)
  }
  const at = new Map<string, number>()
  for (let n = 0; n < count; n++) {
    const key = `${trees[n]}/${ids[n]}`
    if (at.has(key)) throw contradiction(node, `it has node ${key} twice`)
    at.set(key, n)
  }
  let width = 1
  const children = new Int32Array(2 * count).fill(-1)
  for (let n = 0; n < count; n++) {
    if (!modes.has(mode[n]!)) throw contradiction(node, `a node has the mode ${shown(mode[n]!)}`)
    if (mode[n] === 'LEAF') continue
    const feature = features[n]!
    if (!(feature >= 0 && feature < 100_000)) throw contradiction(node, `a node looks at column ${feature}`)
    width = Math.max(width, feature + 1)
    for (const [side, ids] of [whenTrue, whenFalse].entries()) {
      const child = at.get(`${trees[n]}/${ids[n]}`)
      if (child === undefined) throw contradiction(node, `node ${trees[n]}/${ids[n]} is named and missing`)
      children[2 * n + side] = child
    }
  }
  refuseCycles(node, children, count)
  checkLeaves(node, at, mode)
  checkTransform(node)
  return width
}

/** Depth first without recursion: a node that is reached while it is open leads back to itself. */
function refuseCycles(node: OnnxNode, children: Int32Array, count: number): void {
  const state = new Uint8Array(count) // 1: open, 2: done
  const depth = new Int32Array(count)
  const stack: number[] = []
  for (let start = 0; start < count; start++) {
    if (state[start] !== 0) continue
    stack.push(start)
    while (stack.length > 0) {
      const n = stack.at(-1)!
      if (state[n] === 0) state[n] = 1
      const next = [children[2 * n]!, children[2 * n + 1]!].find((child) => child >= 0 && state[child] !== 2)
      if (next !== undefined) {
        if (state[next] === 1) throw contradiction(node, 'a tree leads back to where it came from')
        stack.push(next)
        continue
      }
      state[n] = 2
      const below = Math.max(-1, ...[children[2 * n]!, children[2 * n + 1]!].map((c) => (c >= 0 ? depth[c]! : -1)))
      depth[n] = below + 1
      if (depth[n]! > MOST_DEPTH) throw contradiction(node, `a tree is deeper than ${MOST_DEPTH}`)
      stack.pop()
    }
  }
}

function checkLeaves(node: OnnxNode, at: ReadonlyMap<string, number>, mode: readonly string[]): void {
  const isClassifier = node.operator === 'TreeEnsembleClassifier'
  const prefix = isClassifier ? 'class' : 'target'
  const trees = integers(node, `${prefix}_treeids`)
  const ids = integers(node, `${prefix}_nodeids`)
  const outputs = integers(node, `${prefix}_ids`)
  const weights = numbersIn(node, `${prefix}_weights`)
  if (trees.length === 0 || ids.length !== trees.length || outputs.length !== trees.length || weights !== trees.length)
    throw contradiction(
      node,
      `the leaves have ${trees.length}, ${ids.length}, ${outputs.length} and ${weights} entries`,
    )
  const most = isClassifier ? labelsOf(node) : (node.attributes.get('n_targets')?.integer ?? 1)
  for (let leaf = 0; leaf < trees.length; leaf++) {
    const n = at.get(`${trees[leaf]}/${ids[leaf]}`)
    if (n === undefined || mode[n] !== 'LEAF') throw contradiction(node, `${trees[leaf]}/${ids[leaf]} is no leaf`)
    if (!(outputs[leaf]! >= 0 && outputs[leaf]! < most))
      throw contradiction(node, `a leaf adds to output ${outputs[leaf]} of ${most}`)
  }
  const bases = numbersIn(node, 'base_values')
  if (bases !== 0 && bases !== most && !(isClassifier && bases === 1))
    throw contradiction(node, `${bases} base values for ${most} outputs`)
}

function checkTransform(node: OnnxNode): void {
  const transform = node.attributes.get('post_transform')?.text ?? 'NONE'
  if (!transforms.has(transform)) throw contradiction(node, `it ends with ${shown(transform)}`)
}

function labelsOf(node: OnnxNode): number {
  const numbers = integers(node, 'classlabels_int64s').length + integers(node, 'classlabels_ints').length
  return numbers + (node.attributes.get('classlabels_strings')?.texts.length ?? 0)
}

const integers = (node: OnnxNode, name: string): readonly number[] => node.attributes.get(name)?.integers ?? []

/** How many numbers an attribute or its variant in doubles holds. */
function numbersIn(node: OnnxNode, name: string): number {
  const tensor = node.attributes.get(`${name}_as_tensor`)?.tensor
  const own = node.attributes.get(name)?.floats.length ?? 0
  return own + (tensor?.elements ?? 0)
}

function contradiction({ operator }: OnnxNode, why: string) {
  return refused(`a ${operator} contradicts itself: ${why}`, 'Convert the model again; do not edit the file.')
}
