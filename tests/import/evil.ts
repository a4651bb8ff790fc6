import { Encoder } from '../../trainer/onnx/encoder.ts'

// Files as an attacker would write them, field by field (github.com/onnx/onnx, onnx.proto).

export interface EvilGraph {
  readonly nodes?: readonly Encoder[]
  readonly constants?: readonly Encoder[]
  readonly inputs?: readonly Encoder[]
  readonly outputs?: readonly Encoder[]
  readonly more?: (graph: Encoder) => void
}

export function graphOf(given: EvilGraph): Encoder {
  const graph = new Encoder()
  for (const node of given.nodes ?? [nodeOf('Sigmoid', ['X'], ['p'])]) graph.message(1, node)
  graph.text(2, 'evil')
  for (const constant of given.constants ?? []) graph.message(5, constant)
  for (const input of given.inputs ?? [declared('X', ['N', 1])]) graph.message(11, input)
  for (const output of given.outputs ?? [declared('p', ['N', 1])]) graph.message(12, output)
  given.more?.(graph)
  return graph
}

export function fileOf(graph: Encoder, more: (model: Encoder) => void = () => {}): Uint8Array {
  const model = new Encoder().integer(1, 8).message(7, graph)
  model.message(8, new Encoder().text(1, '').integer(2, 17))
  model.message(8, new Encoder().text(1, 'ai.onnx.ml').integer(2, 3))
  more(model)
  return model.finish().slice()
}

export const evil = (given: EvilGraph) => fileOf(graphOf(given))

export function nodeOf(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Encoder[] = [],
  domain = '',
): Encoder {
  const node = new Encoder()
  for (const input of inputs) node.text(1, input)
  for (const output of outputs) node.text(2, output)
  node.text(4, operator)
  for (const attribute of attributes) node.message(5, attribute)
  return domain ? node.text(7, domain) : node
}

export function declared(name: string, shape: readonly (number | string)[], type = 1): Encoder {
  const dimensions = new Encoder()
  for (const size of shape)
    dimensions.message(1, typeof size === 'number' ? new Encoder().integer(1, size) : new Encoder().text(2, size))
  const tensor = new Encoder().integer(1, type).message(2, dimensions)
  return new Encoder().text(1, name).message(2, new Encoder().message(1, tensor))
}

export function tensorOf(name: string, shape: readonly number[], bytes: Uint8Array, type = 1): Encoder {
  const tensor = new Encoder()
  for (const size of shape) tensor.integer(1, size)
  return tensor.integer(2, type).text(8, name).bytes(9, bytes)
}

/** A constant whose numbers lie in another file. */
export function externalTensor(name: string, location: string): Encoder {
  const entry = (key: string, value: string) => new Encoder().text(1, key).text(2, value)
  return new Encoder()
    .integer(1, 1)
    .integer(2, 1)
    .text(8, name)
    .message(13, entry('location', location))
    .message(13, entry('offset', '0'))
    .integer(14, 1)
}

export const attributeOf = (name: string) => new Encoder().text(1, name)
