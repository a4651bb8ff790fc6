import { columnsRead } from './ensembles.ts'
import { type OnnxModel, type OnnxValue, parseOnnx } from './onnx-file.ts'
import type { OnnxNode } from './onnx-node.ts'
import { checkOperator, checkOpsets } from './operators.ts'
import { refused, shown } from './refusal.ts'
import { broken } from './wire.ts'

/** A file that holds to the rules: what it computes is known, and nothing of it has been run. */
export interface ScannedModel extends OnnxModel {
  /** For an operator that reads columns unseen: how many it must be given. */
  readonly columnsRead: ReadonlyMap<OnnxNode, number>
}

/**
 * Our own reading of an ONNX file, before any runtime sees it: damaged bytes, data outside the file, control flow, functions,
 * foreign operators, and parameters that a runtime would trust blindly. Throws IMPORT_INVALID.
 */
export function scanOnnx(bytes: Uint8Array): ScannedModel {
  const model = parseOnnx(bytes)
  checkOpsets(model.opsets)
  const known = new Set<string>()
  const define = (name: string) => {
    if (name === '' || known.has(name)) throw broken(`two values are named ${shown(name)}`)
    known.add(name)
  }
  for (const { name } of model.initializers) define(name)
  for (const { name } of model.inputs) define(name)
  const reads = new Map<OnnxNode, number>()
  for (const node of model.nodes) {
    checkOperator(node)
    for (const input of node.inputs)
      if (input !== '' && !known.has(input)) throw broken(`${node.operator} reads ${shown(input)}, which nobody made`)
    const columns = columnsRead(node)
    if (columns !== null) reads.set(node, columns)
    for (const output of node.outputs) if (output !== '') define(output)
    if (node.operator === 'Constant') checkConstant(node)
  }
  for (const { name } of model.outputs) if (!known.has(name)) throw broken(`nobody makes the output ${shown(name)}`)
  if (model.inputs.length === 0 || model.inputs.length > 1000 || model.outputs.length === 0)
    throw broken(`it has ${model.inputs.length} inputs and ${model.outputs.length} outputs`)
  return { ...model, columnsRead: reads }
}

function checkConstant(node: OnnxNode): void {
  const allowed = ['value', 'value_float', 'value_floats', 'value_int', 'value_ints', 'value_string', 'value_strings']
  for (const name of node.attributes.keys())
    if (!allowed.includes(name)) throw refused(`a Constant has ${shown(name)}`, 'Export with dense constants.')
}

/** What is wrong with the shape of an input or output, in words: rows must be free, columns few. */
export function describeShape({ shape, elementType }: OnnxValue): string {
  const type =
    { 1: 'float32', 7: 'int64', 8: 'text', 10: 'float16', 11: 'double' }[elementType ?? 0] ?? `type ${elementType}`
  return `${type} ${shape ? `[${shape.map((size) => size ?? '?').join(', ')}]` : 'of unknown shape'}`
}
