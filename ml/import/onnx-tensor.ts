import { refused, shown } from './refusal.ts'
import { broken, textOf, WireReader } from './wire.ts'

/** TensorProto of onnx.proto whose numbers stand in the file itself, exactly as many as its shape says. */
export interface OnnxTensor {
  readonly name: string
  readonly elementType: number
  readonly shape: readonly number[]
  readonly elements: number
  /** The message as it stood in the file. */
  readonly message: Uint8Array
}

/** Bytes of one element in `raw_data`; 0: texts, which stand in their own field. */
const elementBytes: Readonly<Record<number, number>> = { 1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 8: 0, 9: 1, 11: 8 }
/** The field that holds the elements where they are not raw. */
const fieldOfType: Readonly<Record<number, number>> = { 1: 4, 2: 5, 3: 5, 6: 5, 7: 7, 8: 6, 9: 5, 11: 10 }
const MOST_ELEMENTS = 16 * 2 ** 20

export function parseTensor(message: Uint8Array): OnnxTensor {
  const reader = new WireReader(message)
  const shape: number[] = []
  const counts = new Map<number, number>()
  const numbers: number[] = []
  let name = ''
  let elementType = 0
  let raw: number | null = null
  while (reader.next()) {
    const { field, wire } = reader
    if (field === 1) {
      if (wire === 0) shape.push(reader.value)
      else WireReader.varints(reader.payload, shape)
    } else if (field === 2) elementType = reader.value
    else if (field === 8) name = textOf(reader.payload)
    else if (field === 9) {
      if (raw !== null) throw broken('a constant has its numbers twice')
      raw = reader.payload.length
    } else if (field === 13 || (field === 14 && reader.value !== 0)) throw external(name)
    else if (field === 3) throw refused('a constant comes in segments', 'Export it whole.')
    else if (field >= 4 && field <= 11) {
      const bytes = field === 4 ? 4 : field === 10 ? 8 : 0
      let more = 1
      if (field !== 6 && wire === 2) {
        if (bytes > 0) more = reader.payload.length / bytes
        else {
          numbers.length = 0
          WireReader.varints(reader.payload, numbers)
          more = numbers.length
        }
      }
      counts.set(field, (counts.get(field) ?? 0) + more)
    } else if (![12, 14, 16].includes(field)) throw broken(`a constant has a field ${field}`)
  }
  const size = elementBytes[elementType]
  if (size === undefined)
    throw refused(
      `the constant ${shown(name)} has elements of type ${elementType}`,
      'Export with float32, double, integers, booleans or texts.',
    )
  if (shape.length > 8 || shape.some((length) => !Number.isInteger(length) || length < 0 || length > MOST_ELEMENTS))
    throw broken(`the constant ${shown(name)} has the shape ${shape.slice(0, 9).join(' x ')}`)
  const elements = shape.reduce((product, length) => product * length, 1)
  if (elements > MOST_ELEMENTS) throw broken(`the constant ${shown(name)} has ${elements} elements`)
  const field = fieldOfType[elementType]!
  const given = raw === null ? (counts.get(field) ?? 0) : size > 0 ? raw / size : -1
  if (given !== elements || [...counts.keys()].some((other) => raw !== null || other !== field))
    throw broken(`the constant ${shown(name)} has ${given} of the ${elements} elements that its shape promises`)
  return { name, elementType, shape, elements, message }
}

function external(name: string) {
  return refused(
    `the constant ${shown(name)} lies outside the file (external data)`,
    'Save the model in one file: onnx.save(model, path, save_as_external_data=False).',
  )
}
