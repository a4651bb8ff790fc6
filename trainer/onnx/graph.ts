import { Encoder, littleEndianFloats } from './encoder.ts'

/** Field numbers and enums below are those of onnx.proto (github.com/onnx/onnx, IR version 8). */
const ELEMENT_FLOAT = 1
const ELEMENT_INT64 = 7
const IR_VERSION = 8
const OPSET = 17
const ML_OPSET = 3

/** One attribute of an operator. */
export type Attribute =
  | { readonly integer: number }
  | { readonly text: string }
  | { readonly floats: ArrayLike<number> }
  | { readonly integers: ArrayLike<number> }
  | { readonly texts: readonly string[] }

/** An ONNX graph under construction. Operators return the names of their first outputs; names are counted, so bytes repeat. */
export class Graph {
  #nodes: Encoder[] = []
  #constants: Encoder[] = []
  #inputs: Encoder[] = []
  #outputs: Encoder[] = []
  #counter = 0

  /** A float32 input; a dimension may be named. */
  input(name: string, shape: readonly (number | string)[]): string {
    this.#inputs.push(tensorValue(name, shape))
    return name
  }

  output(name: string, shape: readonly (number | string)[]): void {
    this.#outputs.push(tensorValue(name, shape))
  }

  floats(shape: readonly number[], values: ArrayLike<number>): string {
    return this.#constant(shape, ELEMENT_FLOAT, littleEndianFloats(values))
  }

  integers(shape: readonly number[], values: ArrayLike<number>): string {
    const view = new DataView(new ArrayBuffer(8 * values.length))
    for (let i = 0; i < values.length; i++) view.setBigInt64(8 * i, BigInt(values[i]!), true)
    return this.#constant(shape, ELEMENT_INT64, new Uint8Array(view.buffer))
  }

  #constant(shape: readonly number[], element: number, raw: Uint8Array): string {
    const name = `constant${this.#counter++}`
    const tensor = new Encoder()
    for (const size of shape) tensor.integer(1, size)
    this.#constants.push(tensor.integer(2, element).text(8, name).bytes(9, raw))
    return name
  }

  /** An operator of ai.onnx, or of ai.onnx.ml. */
  apply(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    options: { output?: string; domain?: 'ai.onnx.ml' } = {},
  ): string {
    const output = options.output ?? `value${this.#counter++}`
    const node = new Encoder()
    for (const input of inputs) node.text(1, input)
    node
      .text(2, output)
      .text(3, `${operator}${this.#counter++}`)
      .text(4, operator)
    for (const [name, attribute] of Object.entries(attributes)) node.message(5, encodeAttribute(name, attribute))
    if (options.domain) node.text(7, options.domain)
    this.#nodes.push(node)
    return output
  }

  /** The finished model file. */
  finish(metadata: Readonly<Record<string, string>>): Uint8Array {
    const graph = new Encoder()
    for (const node of this.#nodes) graph.message(1, node)
    graph.text(2, 'model')
    for (const constant of this.#constants) graph.message(5, constant)
    for (const input of this.#inputs) graph.message(11, input)
    for (const output of this.#outputs) graph.message(12, output)
    const model = new Encoder().integer(1, IR_VERSION).text(2, 'inkling').text(3, '1').message(7, graph)
    model.message(8, new Encoder().text(1, '').integer(2, OPSET))
    model.message(8, new Encoder().text(1, 'ai.onnx.ml').integer(2, ML_OPSET))
    for (const [key, value] of Object.entries(metadata)) model.message(14, new Encoder().text(1, key).text(2, value))
    return model.finish().slice()
  }
}

function tensorValue(name: string, shape: readonly (number | string)[]): Encoder {
  const dimensions = new Encoder()
  for (const size of shape)
    dimensions.message(1, typeof size === 'number' ? new Encoder().integer(1, size) : new Encoder().text(2, size))
  const tensor = new Encoder().integer(1, ELEMENT_FLOAT).message(2, dimensions)
  return new Encoder().text(1, name).message(2, new Encoder().message(1, tensor))
}

/** AttributeProto: the last field of each line names the kind. */
function encodeAttribute(name: string, attribute: Attribute): Encoder {
  const out = new Encoder().text(1, name)
  if ('integer' in attribute) return out.integer(3, attribute.integer).integer(20, 2)
  if ('text' in attribute) return out.text(4, attribute.text).integer(20, 3)
  if ('floats' in attribute) return out.floats(7, attribute.floats).integer(20, 6)
  if ('integers' in attribute) return out.integers(8, attribute.integers).integer(20, 7)
  for (const text of attribute.texts) out.text(9, text)
  return out.integer(20, 8)
}
