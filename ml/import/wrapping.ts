import { Encoder, littleEndianFloats } from '../../trainer/onnx/encoder.ts'
import type { OnnxValue } from './onnx-file.ts'
import type { OnnxNode } from './onnx-node.ts'
import { ML_DOMAIN } from './operators.ts'
import type { PlannedColumn, ResolvedPlan } from './plan.ts'
import { refused, shown } from './refusal.ts'
import { describeShape, type ScannedModel } from './scan.ts'

const FLOAT = 1
const INT64 = 7
const TEXT = 8
const DOUBLE = 11
/** Names that the graph around the model needs for itself. */
const OURS = /^(X|probability|inkling .*)$/

/**
 * The model as every version is served: X float32 (N, features of the model file), NaN = missing, to `probability` (N, 1). The
 * file's operators are written anew from what the scan understood, so that no runtime ever sees the file; what goes in and out
 * is mapped in the same graph. Operators that would read columns unseen are given exactly those they read. Throws IMPORT_INVALID.
 */
export function wrapModel(model: ScannedModel, plan: ResolvedPlan): Uint8Array {
  const graph = new Writer()
  for (const { input, columns } of matchInputs(model, plan)) writeInput(graph, input, columns)
  for (const { name, message } of model.initializers) graph.copyConstant(message, foreign(name))
  for (const node of model.nodes) writeNode(graph, node, model.columnsRead.get(node) ?? null)
  writeOutput(graph, chooseOutput(model, plan), plan)
  return graph.finish(model, plan.columns.length)
}

/** A name of the file in our graph. */
const foreign = (name: string) => (OURS.test(name) ? `inkling foreign ${name}` : name)

function matchInputs(model: ScannedModel, plan: ResolvedPlan) {
  const names = model.inputs.map(({ name }) => name)
  const [only] = plan.inputs
  if (only?.name === null && names.length > 1)
    throw refused(
      `it has ${names.length} inputs (${names.slice(0, 20).map(shown).join(', ')}), and the plan is for one`,
      'Give the columns of each: "inputs": { "name": [...] }.',
    )
  for (const { name } of plan.inputs)
    if (name !== null && !names.includes(name))
      throw refused(`it has no input ${shown(name)}`, `Its inputs: ${names.slice(0, 20).map(shown).join(', ')}.`)
  return model.inputs.map((input) => {
    const planned = plan.inputs.find(({ name }) => name === null || name === input.name)
    if (!planned) throw refused(`the plan says nothing about the input ${shown(input.name)}`, 'Name its columns.')
    checkInput(input, planned.columns)
    return { input, columns: planned.columns }
  })
}

function checkInput(input: OnnxValue, columns: readonly PlannedColumn[]): void {
  const { name, elementType, shape } = input
  if (![FLOAT, DOUBLE, INT64, TEXT].includes(elementType ?? 0))
    throw refused(
      `the input ${shown(name)} is ${describeShape(input)}`,
      'Export with inputs of float32, double, int64 or text.',
    )
  if (shape && (shape.length !== 2 || typeof shape[0] === 'number'))
    throw refused(
      `the input ${shown(name)} is ${describeShape(input)}; any number of rows must fit`,
      "Export with a free first dimension, such as FloatTensorType([None, 3]) or dynamic_axes={'X': {0: 'N'}}.",
    )
  const width = shape?.[1]
  if (typeof width === 'number' && width !== columns.length)
    throw refused(
      `the input ${shown(name)} has ${width} columns, and the plan names ${columns.length}`,
      'Name the columns in the order of training.',
    )
  for (const { missing, texts, equals } of columns) {
    const isText = elementType === TEXT
    if (isText && (!texts || equals !== undefined))
      throw refused(`the input ${shown(name)} takes texts`, 'Give it categories with their "levels".')
    if (typeof missing === 'string' && !isText)
      throw refused(`the input ${shown(name)} takes numbers`, 'Give "missing" as a number.')
    if (elementType === INT64 && missing === undefined && equals === undefined)
      throw refused(
        `the input ${shown(name)} takes whole numbers, which cannot be missing`,
        'Say what stands for a missing value: "missing": -1 for each column.',
      )
  }
}

function writeInput(graph: Writer, { name, elementType }: OnnxValue, columns: readonly PlannedColumn[]): void {
  if (elementType === TEXT) {
    const parts = columns.map((column) => writeTexts(graph, column))
    graph.node('Concat', parts, [foreign(name)], [integer('axis', 1)])
    return
  }
  const picked = graph.apply(
    'Gather',
    ['X', graph.integers(columns.map(({ feature }) => feature))],
    [integer('axis', 1)],
  )
  const row = [1, columns.length]
  let cells = picked
  if (columns.some(({ missing }) => missing !== undefined)) {
    const fill = graph.floats(
      row,
      columns.map(({ missing }) => (missing === undefined ? Number.NaN : Number(missing))),
    )
    cells = graph.apply('Where', [graph.apply('IsNaN', [picked]), fill, picked])
  }
  if (columns.some(({ equals }) => equals !== undefined)) {
    const levels = graph.floats(
      row,
      columns.map(({ equals }) => equals ?? -1),
    )
    const isLevel = graph.apply('Cast', [graph.apply('Equal', [picked, levels])], [integer('to', FLOAT)])
    const flags = graph.floats(
      row,
      columns.map(({ equals }) => (equals === undefined ? 0 : 1)),
    )
    const isFlag = graph.apply('Greater', [flags, graph.floats([1], [0])])
    cells = graph.apply('Where', [isFlag, isLevel, cells])
  }
  if (elementType === FLOAT) graph.node('Identity', [cells], [foreign(name)])
  else graph.node('Cast', [cells], [foreign(name)], [integer('to', elementType!)])
}

/** The number of a level to its text. */
function writeTexts(graph: Writer, { feature, texts = [], missing = '' }: PlannedColumn): string {
  const cells = graph.apply('Gather', ['X', graph.integers([feature])], [integer('axis', 1)])
  const keys = new Encoder()
    .text(1, 'keys_floats')
    .floats(
      7,
      texts.map((_, level) => level),
    )
    .integer(20, 6)
  const values = new Encoder().text(1, 'values_strings')
  for (const text of texts) values.text(9, text)
  const otherwise = new Encoder().text(1, 'default_string').text(4, String(missing)).integer(20, 3)
  return graph.apply('LabelEncoder', [cells], [keys, values.integer(20, 8), otherwise], ML_DOMAIN)
}

function writeNode(graph: Writer, node: OnnxNode, columns: number | null): void {
  const inputs = node.inputs.map((name) => (name === '' ? '' : foreign(name)))
  if (columns !== null) {
    const wanted = graph.integers(Array.from({ length: columns }, (_, column) => column))
    inputs[0] = graph.apply('Gather', [inputs[0] ?? '', wanted], [integer('axis', 1)])
  }
  const attributes = [...node.attributes.values()].map(({ message }) => message)
  graph.node(
    node.operator,
    inputs,
    node.outputs.map((name) => (name === '' ? '' : foreign(name))),
    attributes,
    node.domain,
  )
}

function chooseOutput({ outputs }: ScannedModel, plan: ResolvedPlan): OnnxValue {
  const isNumber = ({ elementType }: OnnxValue) => elementType === FLOAT || elementType === DOUBLE
  const names = outputs.map(({ name }) => shown(name)).join(', ')
  const candidates =
    plan.output === null ? outputs.filter(isNumber) : outputs.filter(({ name }) => name === plan.output)
  const [chosen] = candidates
  if (!chosen || candidates.length > 1)
    throw refused(
      plan.output === null
        ? `${candidates.length} of its outputs could be the probability`
        : `it has no output ${shown(plan.output)}`,
      `Name the output that holds it: "output": one of ${names}.`,
    )
  if (!isNumber(chosen))
    throw refused(`its output ${shown(chosen.name)} is ${describeShape(chosen)}`, `Name one of numbers: ${names}.`)
  return chosen
}

function writeOutput(graph: Writer, output: OnnxValue, { index, scale }: ResolvedPlan): void {
  const { shape, name } = output
  if (shape && shape.length > 2)
    throw refused(`its output ${shown(name)} is ${describeShape(output)}`, 'Export one row of classes per row.')
  let value = foreign(name)
  if (shape?.length !== 1) {
    const width = typeof shape?.[1] === 'number' ? shape[1] : null
    const column = index ?? (width === 2 ? 1 : width === 1 ? 0 : null)
    if (column === null || (width !== null && column >= width))
      throw refused(
        `its output ${shown(name)} is ${describeShape(output)}`,
        'Say which column holds the probability: "index": 1.',
      )
    value = graph.apply('Gather', [value, graph.integers([column])], [integer('axis', 1)])
  }
  if (output.elementType === DOUBLE) value = graph.apply('Cast', [value], [integer('to', FLOAT)])
  if (scale === 'log-odds') value = graph.apply('Sigmoid', [value])
  graph.node('Reshape', [value, graph.integers([-1, 1])], ['probability'])
}

const integer = (name: string, value: number): Encoder => new Encoder().text(1, name).integer(3, value).integer(20, 2)

/** The new file, field by field as in onnx.proto. */
class Writer {
  readonly #nodes: Encoder[] = []
  readonly #constants: Encoder[] = []
  #names = 0

  node(
    operator: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: readonly (Encoder | Uint8Array)[] = [],
    domain = '',
  ): void {
    const node = new Encoder()
    for (const input of inputs) node.text(1, input)
    for (const output of outputs) node.text(2, output)
    node.text(4, operator)
    for (const attribute of attributes) node.bytes(5, attribute instanceof Encoder ? attribute.finish() : attribute)
    if (domain !== '') node.text(7, domain)
    this.#nodes.push(node)
  }

  /** Returns the name of its only output. */
  apply(operator: string, inputs: readonly string[], attributes: readonly Encoder[] = [], domain = ''): string {
    const output = this.#name()
    this.node(operator, inputs, [output], attributes, domain)
    return output
  }

  floats(shape: readonly number[], values: readonly number[]): string {
    return this.#constant(shape, FLOAT, littleEndianFloats(values))
  }

  integers(values: readonly number[]): string {
    const view = new DataView(new ArrayBuffer(8 * values.length))
    for (const [at, value] of values.entries()) view.setBigInt64(8 * at, BigInt(value), true)
    return this.#constant([values.length], INT64, new Uint8Array(view.buffer))
  }

  /** The last name in a message counts. */
  copyConstant(message: Uint8Array, name: string): void {
    const renamed = new Encoder().text(8, name).finish()
    const copy = new Uint8Array(message.length + renamed.length)
    copy.set(message)
    copy.set(renamed, message.length)
    this.#constants.push(new Encoder().bytes(5, copy))
  }

  #constant(shape: readonly number[], element: number, raw: Uint8Array): string {
    const name = this.#name()
    const tensor = new Encoder()
    for (const size of shape) tensor.integer(1, size)
    this.#constants.push(new Encoder().message(5, tensor.integer(2, element).text(8, name).bytes(9, raw)))
    return name
  }

  #name(): string {
    return `inkling ${this.#names++}`
  }

  finish({ opsets, irVersion }: ScannedModel, width: number): Uint8Array {
    const parts: Uint8Array[] = [
      ...this.#nodes.map((node) => new Encoder().message(1, node).finish()),
      new Encoder().text(2, 'imported').finish(),
      ...this.#constants.map((constant) => constant.finish()),
      new Encoder().message(11, describeValue('X', width)).message(12, describeValue('probability', 1)).finish(),
    ]
    const graph = Buffer.concat(parts)
    const file = new Encoder()
      .integer(1, Math.min(10, Math.max(8, irVersion)))
      .text(2, 'inkling')
      .bytes(7, graph)
    const general = opsets.get('') ?? 17
    const learned = Math.max(2, opsets.get(ML_DOMAIN) ?? 3)
    file.message(8, new Encoder().text(1, '').integer(2, general))
    file.message(8, new Encoder().text(1, ML_DOMAIN).integer(2, learned))
    return file.finish().slice()
  }
}

function describeValue(name: string, width: number): Encoder {
  const shape = new Encoder().message(1, new Encoder().text(2, 'N')).message(1, new Encoder().integer(1, width))
  const tensor = new Encoder().integer(1, FLOAT).message(2, shape)
  return new Encoder().text(1, name).message(2, new Encoder().message(1, tensor))
}
