#!/usr/bin/env node
// Starts the command line on Node 24, which runs TypeScript as it is. A machine with an older Node has one as a dependency:
// npm scripts find it by themselves, a direct call is passed on here. Plain JavaScript, because an older Node reads it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Commands that work through many rows once: they stay under a gigabyte when V8 collects early and compiles one thing at a time. */
const lean = ['import', 'train', 'verify'].includes(process.argv[2]) && process.execArgv.length === 0
const flags = lean ? ['--max-semi-space-size=4', '--wasm-num-compilation-tasks=1'] : []
const isModern = Number(process.versions.node.split('.')[0]) >= 24

if (isModern && flags.length === 0) {
  await import('./program.ts')
} else {
  const bundled = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))
  if (!isModern && !existsSync(bundled)) {
    console.error(`inkling: this is Node ${process.versions.node}; Inkling needs Node 24.`)
    console.error('Install Node 24, or run `npm install` without --no-optional: it brings one along.')
    process.exit(1)
  }
  const words = [...flags, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const child = spawn(isModern ? process.execPath : bundled, words, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
