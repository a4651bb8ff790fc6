import { access, constants, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { InklingError, messageOf } from '../platform/errors.ts'

/** Before long work: throws BAD_USER_INPUT where the folder of a file to write is missing or closed. */
export async function checkOutput(path: string): Promise<void> {
  await access(dirname(path), constants.W_OK).catch((cause) => refuse(path, cause))
}

/** Throws BAD_USER_INPUT where the file cannot be written. */
export async function writeOutput(path: string, contents: string | Uint8Array): Promise<void> {
  await writeFile(path, contents).catch((cause) => refuse(path, cause))
}

function refuse(path: string, cause: unknown): never {
  throw new InklingError(
    'BAD_USER_INPUT',
    `${path} cannot be written: ${messageOf(cause)}.`,
    'Name a file in a folder that is there and may be written to.',
    { cause },
  )
}
