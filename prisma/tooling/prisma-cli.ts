// `npm run prisma -- <arguments>` is Prisma's own command line, made to work where only the package registries are reachable.
// `generate`, `validate` and `format` never call the schema engine, yet the CLI downloads it first; `migrate` and `db` need one.
// Where no native engine is installed and none can be fetched, schema-engine.mjs (the WebAssembly build) takes its place.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const engineless = new Set(['generate', 'validate', 'format'])
const arguments_ = process.argv.slice(2)
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${resolve('node_modules/.bin')}${delimiter}${process.env.PATH}`,
}

function hasNativeEngine(): boolean {
  const prisma = dirname(require.resolve('prisma/package.json'))
  const engines = dirname(require.resolve('@prisma/engines/package.json', { paths: [prisma] }))
  return existsSync(engines) && readdirSync(engines).some((name) => name.startsWith('schema-engine-'))
}

async function canDownload(): Promise<boolean> {
  const mirror = environment.PRISMA_ENGINES_MIRROR ?? 'https://binaries.prisma.sh'
  return fetch(mirror, { method: 'HEAD', signal: AbortSignal.timeout(3000) }).then(
    () => true,
    () => false,
  )
}

if (!environment.PRISMA_SCHEMA_ENGINE_BINARY && !hasNativeEngine()) {
  if (engineless.has(arguments_[0] ?? '') || !(await canDownload()))
    environment.PRISMA_SCHEMA_ENGINE_BINARY = fileURLToPath(new URL('./schema-engine.mjs', import.meta.url))
}
environment.PRISMA_HIDE_UPDATE_MESSAGE = '1'
const outcome = spawnSync(process.execPath, [require.resolve('prisma/build/index.js'), ...arguments_], {
  stdio: 'inherit',
  env: environment,
})
process.exit(outcome.status ?? 1)
