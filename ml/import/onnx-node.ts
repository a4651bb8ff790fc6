import { type OnnxTensor, parseTensor } from './onnx-tensor.ts'
import { refused, shown } from './refusal.ts'
import { broken, textOf, WireReader } from './wire.ts'

/** AttributeProto of onnx.proto, of the kinds that operators on the list take. */
export interface OnnxAttribute {
  readonly name: string
  readonly float: number | null
  readonly integer: number | null
  readonly text: string | null
  readonly tensor: OnnxTensor | null
  readonly floats: readonly number[]
  readonly integers: readonly number[]
  readonly texts: readonly string[]
  /** The message as it stood in the file. */
  readonly message: Uint8Array
}

export interface OnnxNode {
  readonly operator: string
  /** '' is ai.onnx. */
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttribute>
}

const MOST_NAMES = 4000

/** lookInto: reads a graph that stands in an attribute, for what is wrong with it. */
export function parseNode(bytes: Uint8Array, lookInto: (graph: Uint8Array) => void): OnnxNode {
  const reader = new WireReader(bytes)
  const inputs: string[] = []
  const outputs: string[] = []
  const attributes = new Map<string, OnnxAttribute>()
  let operator = ''
  let domain = ''
  while (reader.next()) {
    const { field } = reader
    if (field !== 5 && field !== 10 && reader.wire !== 2) throw broken('an operator is not as it should be')
    if (field === 1) inputs.push(short(reader))
    else if (field === 2) outputs.push(short(reader))
    else if (field === 4) operator = short(reader)
    else if (field === 5) {
      const attribute = parseAttribute(reader.payload, lookInto)
      if (attributes.has(attribute.name)) throw broken(`an operator has ${shown(attribute.name)} twice`)
      attributes.set(attribute.name, attribute)
    } else if (field === 7) domain = short(reader)
    else if (![3, 6, 8, 9, 10].includes(field)) throw broken(`an operator has a field ${field}`)
    if (inputs.length + outputs.length > MOST_NAMES) throw broken(`an operator has over ${MOST_NAMES} inputs`)
  }
  return { operator, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes }
}

function short(reader: WireReader): string {
  if (reader.payload.length > 1000) throw broken('a name is longer than 1000 bytes')
  return reader.text()
}

function parseAttribute(message: Uint8Array, lookInto: (graph: Uint8Array) => void): OnnxAttribute {
  const reader = new WireReader(message)
  const floats: number[] = []
  const integers: number[] = []
  const texts: string[] = []
  const single: { name: string; float: number | null; integer: number | null; text: string | null } = {
    name: '',
    float: null,
    integer: null,
    text: null,
  }
  let tensor: OnnxTensor | null = null
  while (reader.next()) {
    const { field, wire } = reader
    if (field === 1) single.name = short(reader)
    else if (field === 2 && wire === 5 && single.float === null) single.float = reader.float()
    else if (field === 3 && wire === 0 && single.integer === null) single.integer = reader.value
    else if (field === 4 && wire === 2 && single.text === null) single.text = textOf(reader.payload)
    else if (field === 5 && wire === 2 && tensor === null) tensor = parseTensor(reader.payload)
    else if (field === 6 || field === 11) {
      lookInto(reader.payload)
      throw refused('an operator holds a graph of its own (If, Loop, Scan ...)', 'Export without control flow.')
    } else if (field === 7) {
      if (wire === 5) floats.push(reader.float())
      else addFloats(reader.payload, floats)
    } else if (field === 8) {
      if (wire === 0) integers.push(reader.value)
      else WireReader.varints(reader.payload, integers)
    } else if (field === 9 && wire === 2) texts.push(textOf(reader.payload))
    else if (field === 10 && wire === 2) {
      parseTensor(reader.payload) // says what is wrong with it, if anything
      throw refused('an operator holds a list of tensors', 'Export without it.')
    } else if (field !== 13 && !(field === 20 && wire === 0))
      throw broken(`an attribute of an operator has a field ${field}`)
  }
  return { ...single, tensor, floats, integers, texts, message }
}

function addFloats(bytes: Uint8Array, into: number[]): void {
  if (bytes.length % 4 !== 0) throw broken('a list of numbers is cut')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; at += 4) into.push(view.getFloat32(at, true))
}
