import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse } from 'yaml'
import { InklingError, messageOf } from '../platform/errors.ts'
import { type LlmConfiguration, type Lookup, parseConfiguration } from './configuration.ts'

const NAMES = ['llm.config.yaml', 'llm.config.yml', 'llm.config.ts']

/** The file that declares targets: the one that was named, else one of the usual names in the folder. Null: there is none. */
export function findConfigurationFile(named: string | undefined, folder: string): string | null {
  if (named === undefined) return NAMES.map((name) => resolve(folder, name)).find((file) => existsSync(file)) ?? null
  const file = resolve(folder, named)
  if (existsSync(file)) return file
  throw new InklingError('CONFIG_INVALID', `There is no file ${file}.`, 'Correct INKLING_LLM_CONFIG, or leave it out.')
}

/** Reads YAML, or the default export of TypeScript. Throws CONFIG_INVALID. */
export async function readConfiguration(file: string, lookup: Lookup): Promise<LlmConfiguration> {
  return parseConfiguration(await readSource(file), lookup, file)
}

async function readSource(file: string): Promise<unknown> {
  try {
    if (!file.endsWith('.ts')) return parse(readFileSync(file, 'utf8'), { maxAliasCount: 100 })
    return ((await import(pathToFileURL(file).href)) as { default: unknown }).default
  } catch (error) {
    throw new InklingError('CONFIG_INVALID', `${file} cannot be read: ${messageOf(error)}`, 'Correct the file.', {
      cause: error,
    })
  }
}
