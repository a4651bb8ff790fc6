import { lstat, readFile, realpath } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { InklingError } from '../../platform/errors.ts'
import { MOST_FILE_BYTES } from './onnx-file.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/
/** Names that mean a device on Windows, with any ending. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/**
 * A file of the folder that the server may import from, by its plain name. Links of either kind are not followed: they could
 * name what the folder does not hold. Throws BAD_USER_INPUT or NOT_FOUND, the same for what is missing and what is elsewhere.
 */
export async function readImportFile(folder: string | undefined, name: string): Promise<Uint8Array> {
  if (!folder)
    throw new InklingError(
      'BAD_USER_INPUT',
      'This server has no folder to import from.',
      'Send the file itself, or set INKLING_IMPORT_DIR.',
    )
  if (!NAME.test(name) || DEVICE.test(name) || name.includes('..'))
    throw new InklingError(
      'BAD_USER_INPUT',
      'That is no plain file name.',
      'Name a file of the import folder: churn.onnx.',
    )
  const root = await realpath(resolve(folder)).catch(() => null)
  const path = root === null ? null : join(root, name)
  const found = path === null ? null : await lstat(path).catch(() => null)
  if (!root || !path || !found?.isFile() || found.nlink > 1 || !(await realpath(path)).startsWith(root + sep))
    throw new InklingError('NOT_FOUND', `The import folder has no file ${name}.`, 'Put it there as a plain file.')
  if (found.size > MOST_FILE_BYTES)
    throw new InklingError(
      'BAD_USER_INPUT',
      `${name} has ${found.size} bytes.`,
      `At most ${MOST_FILE_BYTES} are taken.`,
    )
  return readFile(path)
}
