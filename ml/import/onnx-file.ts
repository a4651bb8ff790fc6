import { type OnnxNode, parseNode } from './onnx-node.ts'
import { type OnnxTensor, parseTensor } from './onnx-tensor.ts'
import { refused, shown } from './refusal.ts'
import { broken, WireReader } from './wire.ts'

/** An input or output of the graph. */
export interface OnnxValue {
  readonly name: string
  /** An element type of onnx.proto: 1 float32, 7 int64, 8 text, 11 double ...; null where it is not declared. */
  readonly elementType: number | null
  /** A number, the name of a free dimension, or null where it says neither; null altogether without a shape. */
  readonly shape: readonly (number | string | null)[] | null
}

/** As much of an ONNX file as may be run. Everything else in a file is either refused or left behind. */
export interface OnnxModel {
  readonly irVersion: number
  /** Version by domain; '' is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>
  readonly producer: string
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxTensor[]
  /** Those that a caller must give. */
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
}

/** Larger ones are nothing that a row of features needs. */
export const MOST_FILE_BYTES = 64 * 2 ** 20
const MOST_NODES = 2000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Reads ModelProto of onnx.proto. Throws IMPORT_INVALID for what is damaged, too large, or beyond what one file of operators needs. */
export function parseOnnx(bytes: Uint8Array): OnnxModel {
  if (bytes.length > MOST_FILE_BYTES)
    throw refused(
      `it has ${bytes.length} bytes; at most ${MOST_FILE_BYTES} are taken`,
      'Train a smaller model: fewer trees, fewer leaves, narrower layers.',
    )
  const reader = new WireReader(bytes)
  const opsets = new Map<string, number>()
  let irVersion = 0
  let producer = ''
  let graph: Uint8Array | null = null
  while (reader.next()) {
    const { field } = reader
    if (field === 1) irVersion = whole(reader)
    else if (field === 2) producer = nameOf(reader)
    else if (field === 7) graph = once(graph, part(reader), 'graph')
    else if (field === 8) addOpset(opsets, part(reader))
    else if (field === 20) throw refused('it holds training steps', 'Export the model for inference only.')
    else if (field === 25)
      throw refused(
        'it defines functions of its own',
        'Export with inlined functions (onnx.inliner.inline_local_functions).',
      )
    else if (![3, 4, 5, 6, 14, 26].includes(field)) throw broken(`the model has a field ${field}`)
  }
  if (!graph) throw broken('it has no graph')
  if (irVersion < 3 || irVersion > 13) throw broken(`its IR version is ${irVersion}`)
  return { irVersion, opsets, producer, ...parseGraph(graph, 0) }
}

/** depth: graphs within attributes; they are read only to say what is wrong with them. */
export function parseGraph(
  bytes: Uint8Array,
  depth: number,
): Pick<OnnxModel, 'nodes' | 'initializers' | 'inputs' | 'outputs'> {
  if (depth > 4) throw refused('it nests graphs without end', 'Export without control flow.')
  const nodes: OnnxNode[] = []
  const initializers: OnnxTensor[] = []
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  const reader = new WireReader(bytes)
  while (reader.next()) {
    const { field } = reader
    if (field === 1) {
      if (nodes.length === MOST_NODES)
        throw refused(
          `it has more than ${MOST_NODES} operators`,
          'Use tree ensemble operators instead of unrolled ones.',
        )
      nodes.push(parseNode(part(reader), (graph) => parseGraph(graph, depth + 1)))
    } else if (field === 5) initializers.push(parseTensor(part(reader)))
    else if (field === 11) inputs.push(parseValue(part(reader)))
    else if (field === 12) outputs.push(parseValue(part(reader)))
    else if (field === 15) throw refused('it holds sparse constants', 'Export with dense ones.')
    else if (![2, 10, 13, 14, 16].includes(field)) throw broken(`the graph has a field ${field}`)
  }
  const constant = new Set(initializers.map(({ name }) => name))
  return { nodes, initializers, inputs: inputs.filter(({ name }) => !constant.has(name)), outputs }
}

function addOpset(opsets: Map<string, number>, bytes: Uint8Array): void {
  const reader = new WireReader(bytes)
  let domain = ''
  let version = 0
  while (reader.next()) {
    if (reader.field === 1) domain = nameOf(reader)
    else if (reader.field === 2) version = whole(reader)
    else throw broken(`an operator set has a field ${reader.field}`)
  }
  const name = domain === 'ai.onnx' ? '' : domain
  if (opsets.has(name)) throw broken(`it names the operators of ${shown(domain)} twice`)
  opsets.set(name, version)
}

function parseValue(bytes: Uint8Array): OnnxValue {
  const reader = new WireReader(bytes)
  const value: Mutable<OnnxValue> = { name: '', elementType: null, shape: null }
  while (reader.next()) {
    if (reader.field === 1) value.name = nameOf(reader)
    else if (reader.field === 2) parseType(part(reader), value)
    else if (![3, 4].includes(reader.field)) throw broken(`a value has a field ${reader.field}`)
  }
  return value
}

const kindsOfType: Readonly<Record<number, string>> = {
  4: 'sequence',
  5: 'map',
  7: 'opaque',
  8: 'sparse',
  9: 'optional',
}

function parseType(bytes: Uint8Array, value: Mutable<OnnxValue>): void {
  const reader = new WireReader(bytes)
  while (reader.next()) {
    if (reader.field === 1) {
      const tensor = new WireReader(part(reader))
      while (tensor.next()) {
        if (tensor.field === 1) value.elementType = whole(tensor)
        else if (tensor.field === 2) value.shape = parseShape(part(tensor))
        else throw broken(`a tensor type has a field ${tensor.field}`)
      }
    } else if (reader.field !== 6 && !kindsOfType[reader.field]) throw broken(`a type has a field ${reader.field}`)
  }
}

function parseShape(bytes: Uint8Array): (number | string | null)[] {
  const shape: (number | string | null)[] = []
  const reader = new WireReader(bytes)
  while (reader.next()) {
    if (reader.field !== 1) throw broken(`a shape has a field ${reader.field}`)
    const dimension = new WireReader(part(reader))
    let size: number | string | null = null
    while (dimension.next()) {
      if (dimension.field === 1) size = whole(dimension)
      else if (dimension.field === 2) size = nameOf(dimension)
      else if (dimension.field !== 3) throw broken(`a dimension has a field ${dimension.field}`)
    }
    shape.push(size)
    if (shape.length > 8) throw broken('a shape has more than 8 dimensions')
  }
  return shape
}

/** The payload of a field that holds a message or text. */
export function part(reader: WireReader): Uint8Array {
  if (reader.wire !== 2) throw broken(`field ${reader.field} has the wire type ${reader.wire}`)
  return reader.payload
}

export function whole(reader: WireReader): number {
  if (reader.wire !== 0) throw broken(`field ${reader.field} has the wire type ${reader.wire}`)
  return reader.value
}

export function nameOf(reader: WireReader): string {
  if (part(reader).length > 1000) throw broken('a name is longer than 1000 bytes')
  return reader.text()
}

/** A field that may stand once: two of them would be joined by some readers and not by others. */
export function once<T>(before: T | null, now: T, what: string): T {
  if (before !== null) throw broken(`it has two of ${what}`)
  return now
}
