import { Command } from 'commander'
import { describeGraph, staleContracts } from '../contracts.ts'
import { openRouter } from '../llm/open.ts'
import { createServing } from '../ml/serving.ts'
import { models } from '../models/index.ts'
import { describeConfig, loadConfig, readVariable } from '../platform/config.ts'
import { isInklingError, messageOf } from '../platform/errors.ts'
import { createLog } from '../platform/log.ts'
import { pendingMigrations } from '../platform/migrate.ts'
import { readOrigin } from '../prisma/learning/rows/origin.ts'
import { createRegistry } from '../registry/registry.ts'
import { type Ground, openGround } from './ground.ts'

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly says: string
  readonly hint?: string
}

/** `inkling doctor`: every setting and its source, then every part, tried for real. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('print every setting and check every part')
    .description(
      'Lists the settings with their sources, then checks database, migrations, rows, models (loaded, golden rows\n' +
        'reproduced), worker and contracts. While a server runs on the embedded database, its /health is asked instead.\n' +
        'Exit code 0 when all is well, 1 otherwise.',
    )
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const config = loadConfig()
      const settings = describeConfig(config)
      const findings = await examine(`http://${config.HOST}:${config.PORT}/health`)
      process.exitCode = findings.every(({ ok }) => ok) ? 0 : 1
      if (options.json) process.stdout.write(`${JSON.stringify({ settings, findings }, null, 2)}\n`)
      else process.stdout.write(print(settings, findings))
    })
}

async function examine(health: string): Promise<Finding[]> {
  const contracts = await attempt('contracts', async () => {
    const stale = staleContracts(await describeGraph())
    return stale.length === 0 ? 'schema/sdl is current' : fail(`not current: ${stale.join(', ')}`, 'npm run codegen')
  })
  try {
    const ground = await openGround({ quiet: true })
    try {
      return [...(await examineGround(ground)), await askHealth(health, true), contracts]
    } finally {
      await ground.close()
    }
  } catch (error) {
    if (isInklingError(error) && error.code === 'DATA_FOLDER_IN_USE') return [await askHealth(health, false), contracts]
    return [findingOf('database', error), contracts]
  }
}

async function examineGround(ground: Ground): Promise<Finding[]> {
  const { database, clock, config, log } = ground
  const registry = createRegistry(database, ground)
  const findings = [
    await attempt('database', async () => {
      const { rows } = await database.query<{ version: string }>('SELECT version()')
      const where = database.embedded ? `embedded in ${config.INKLING_DATA_DIR}` : 'server'
      return `${where}: ${rows[0]?.version.split(' ').slice(0, 2).join(' ')}`
    }),
    await attempt('migrations', async () => {
      const pending = await pendingMigrations(database)
      return pending.length === 0 ? 'current' : fail(`pending: ${pending.join(', ')}`, 'inkling start applies them.')
    }),
    await attempt('rows', async () => {
      const origin = await readOrigin(database)
      if (origin === null) return fail('there are none', 'inkling seed, or inkling import oulad <folder>')
      return origin === 'own' ? 'your own' : JSON.stringify(origin)
    }),
    await attempt('clock', async () =>
      clock.frozenBy
        ? `stands at ${clock.now().toISOString()} (${clock.frozenBy})`
        : `runs: ${clock.now().toISOString()}`,
    ),
    await attempt('llm', async () => {
      const { router, source, close } = await openRouter({ config, lookup: readVariable, log, folder: process.cwd() })
      close()
      const targets = router.targets().map(({ target: { name, llm, provider, price } }) => {
        const label = provider.label ? `, ${provider.label}` : ''
        return `${name} (${llm}${label}${price ? '' : ', never asked: its price is unknown'})`
      })
      return `${source}: ${targets.join(', ')}; by ${router.strategies[0]}`
    }),
  ]
  const serving = await createServing({ registry, models, log: createLog(log.level === 'info' ? 'silent' : log.level) })
  for (const { model, version, problem } of serving.states())
    findings.push(
      problem || version === null
        ? { check: `model ${model}`, ok: false, says: problem ?? 'no version', hint: `inkling train ${model}` }
        : { check: `model ${model}`, ok: true, says: `version ${version} loaded, golden rows reproduced` },
    )
  await serving.close()
  return findings
}

/** A server that runs answers for its worker; without one there is none to ask. */
async function askHealth(url: string, isOptional: boolean): Promise<Finding> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3000) })
    const { status, checks } = (await response.json()) as {
      status: string
      checks: Record<string, { ok: boolean; says: string }>
    }
    const says = Object.entries(checks).map(([name, { says: text }]) => `${name}: ${text}`)
    return { check: 'server', ok: response.ok, says: `${status} at ${url} (${says.join('; ')})` }
  } catch {
    if (isOptional) return { check: 'server', ok: true, says: 'not running; its worker starts with `inkling start`' }
    return {
      check: 'server',
      ok: false,
      says: `another process holds the data folder, yet nothing answers at ${url}`,
      hint: 'Run doctor with the PORT of that server, or stop it.',
    }
  }
}

class Failed extends Error {
  readonly hint: string
  constructor(says: string, hint: string) {
    super(says)
    this.hint = hint
  }
}

function fail(says: string, hint: string): never {
  throw new Failed(says, hint)
}

async function attempt(check: string, work: () => Promise<string>): Promise<Finding> {
  try {
    return { check, ok: true, says: await work() }
  } catch (error) {
    return findingOf(check, error)
  }
}

function findingOf(check: string, error: unknown): Finding {
  const hint = isInklingError(error) || error instanceof Failed ? error.hint : undefined
  return { check, ok: false, says: messageOf(error), ...(hint ? { hint } : {}) }
}

function print(settings: ReturnType<typeof describeConfig>, findings: readonly Finding[]): string {
  const lines = [
    'Settings',
    ...settings.map(({ name, value, source }) => `  ${name.padEnd(20)} ${(value || '-').padEnd(28)} ${source}`),
    '',
    'Checks',
    ...findings.map(
      ({ check, ok, says, hint }) =>
        `  ${ok ? 'ok  ' : 'BAD '} ${check.padEnd(18)} ${says}${hint ? `\n       -> ${hint}` : ''}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}
