#!/usr/bin/env node
// Stands in for Prisma's native schema engine: the same arguments and the same JSON-RPC over stdio, answered by
// @prisma/schema-engine-wasm. Plain JavaScript because the CLI starts it as an executable.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { adapterFactory } from './schema-engine-database.mjs'

const require = createRequire(import.meta.url)
const argv = process.argv.slice(2)
const flagOf = (flag) => (argv.includes(flag) ? argv[argv.indexOf(flag) + 1] : undefined)
const flagsOf = (flag) => argv.flatMap((word, index) => (word === flag ? [argv[index + 1]] : []))
const { url } = JSON.parse(flagOf('--datasource') ?? '{}')

function reportFailure(message, code) {
  const fields = { message, error_code: code, is_panic: false }
  const line = { level: 'ERROR', target: 'schema_engine::logger', fields, timestamp: new Date().toISOString() }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}
process.on('uncaughtException', (error) => {
  reportFailure(`schema engine (wasm): ${error.message}`)
  process.exit(1)
})

let bindings
function loadEngine() {
  bindings ??= (async () => {
    const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg')
    const file = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm')
    const wasm = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { './schema_engine_bg.js': glue })
    glue.__wbg_set_wasm(wasm.exports)
    wasm.exports.__wbindgen_start()
    return glue
  })()
  return bindings
}

let factory
async function newEngine() {
  const { SchemaEngine } = await loadEngine()
  const datamodels = flagsOf('--datamodels').map((path) => [path, readFileSync(path, 'utf8')])
  factory ??= adapterFactory(url)
  return SchemaEngine.new(
    { datamodels: datamodels.length > 0 ? datamodels : undefined },
    () => {},
    bindMigrationAwareSqlAdapterFactory(factory),
  )
}

async function answer({ method, params, id }) {
  const engine = await newEngine()
  // The wasm engine opens no shadow database for these two; devDiagnostic on the same engine fills the cache they read.
  if (method === 'evaluateDataLoss' || method === 'createMigration')
    await engine.devDiagnostic({ migrationsList: params.migrationsList, filters: params.filters })
  const returned = await engine[method === 'getDatabaseVersion' ? 'version' : method](params)
  const result = returned instanceof Map ? Object.fromEntries(returned) : (returned ?? null)
  if (method !== 'diff' || result?.stdout == null) return result
  // The native engine prints a diff by calling the client back; the wasm one returns it.
  reply({ id: `print-${id}`, method: 'print', params: { content: result.stdout } })
  return { exitCode: result.exitCode ?? 0, stdout: null }
}

const reply = (body) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...body })}\n`)

function failure(error) {
  let known
  try {
    known = JSON.parse(error.message)
  } catch {
    known = undefined
  }
  return {
    code: 4466,
    message: 'An error happened. Check the data field for details.',
    data: {
      is_panic: false,
      message: known?.message ?? error.message ?? String(error),
      error_code: known?.error_code ?? error.code,
      meta: known?.meta ?? {},
    },
  }
}

if (argv.includes('cli')) {
  // `schema-engine cli can-connect-to-database`
  try {
    const connection = await adapterFactory(url).connect()
    await connection.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] })
    process.exit(0)
  } catch (error) {
    reportFailure(error.message, /does not exist/.test(error.message) ? 'P1003' : 'P1001')
    process.exit(1)
  }
}

let pending = 0
let ended = false
const leaveWhenIdle = () => ended && pending === 0 && process.exit(0)
createInterface({ input: process.stdin })
  .on('line', async (line) => {
    if (!line.trim()) return
    const request = JSON.parse(line)
    pending++
    try {
      reply({ id: request.id, result: await answer(request) })
    } catch (error) {
      reply({ id: request.id, error: failure(error) })
    } finally {
      pending--
      leaveWhenIdle()
    }
  })
  .on('close', () => {
    ended = true
    leaveWhenIdle()
  })
