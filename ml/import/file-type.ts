import { refused } from './refusal.ts'

interface Kind {
  readonly says: string
  readonly starts: readonly number[]
}

const text = (start: string) => Array.from(start, (character) => character.charCodeAt(0))

/** What people hand over in place of ONNX. None of it is ever opened: some of it runs code when it is. */
const others: readonly Kind[] = [
  ...[0, 1, 2, 3, 4, 5].map((protocol) => ({ says: 'a pickle', starts: [0x80, protocol] })),
  { says: 'a zip archive (PyTorch, NumPy, Keras or joblib)', starts: text('PK') },
  { says: 'gzip', starts: [0x1f, 0x8b] },
  { says: 'zlib (joblib)', starts: [0x78, 0x9c] },
  { says: 'zlib (joblib)', starts: [0x78, 0xda] },
  { says: 'zlib (joblib)', starts: [0x78, 0x01] },
  { says: 'bzip2 (joblib)', starts: text('BZh') },
  { says: 'xz (joblib)', starts: [0xfd, 0x37, 0x7a] },
  { says: 'lz4', starts: [0x04, 0x22, 0x4d, 0x18] },
  { says: 'zstandard', starts: [0x28, 0xb5, 0x2f, 0xfd] },
  { says: 'HDF5 (Keras)', starts: [0x89, 0x48, 0x44, 0x46] },
  { says: 'a NumPy array', starts: [0x93, 0x4e, 0x55, 0x4d] },
  { says: 'a tar archive', starts: text('./') },
  { says: 'a program', starts: [0x7f, 0x45, 0x4c, 0x46] },
  { says: 'a script', starts: text('#!') },
  { says: 'LightGBM text', starts: text('tree\n') },
  { says: 'JSON', starts: text('{') },
  { says: 'XML (PMML)', starts: text('<') },
]

/** Throws IMPORT_INVALID for a file whose beginning says that it is something else than ONNX. */
export function refuseOtherTypes(file: Uint8Array): void {
  if (file.length === 0) throw refused('it is empty', 'Export the model again.')
  const kind = others.find(({ starts }) => starts.every((byte, at) => file[at] === byte))
  // pickles of protocol 0 begin with an opcode and a letter of a module
  const isOldPickle = /^(c\w|\(dp|\(lp|ccopy_reg)/.test(Buffer.from(file.subarray(0, 12)).toString('latin1'))
  if (kind || isOldPickle)
    throw refused(
      `it is ${kind?.says ?? 'a pickle'}, not ONNX`,
      'Convert it where it was trained: skl2onnx, onnxmltools or torch.onnx.export. Other formats are never opened.',
    )
}
