#!/usr/bin/env node
// Starts the command line on Node 24, which runs TypeScript as it is. A machine with an older Node has one as a dependency:
// npm scripts find it by themselves, a direct call is passed on here. Plain JavaScript, because an older Node reads it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const major = Number(process.versions.node.split('.')[0])

if (major >= 24) {
  await import('./program.ts')
} else {
  const node = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))
  if (!existsSync(node)) {
    console.error(`inkling: this is Node ${process.versions.node}; Inkling needs Node 24.`)
    console.error('Install Node 24, or run `npm install` without --no-optional: it brings one along.')
    process.exit(1)
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
