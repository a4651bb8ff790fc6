import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { roles } from '../../app/roles.ts'
import { startCommand } from '../../cli/start.ts'
import { serveHealth } from '../../gateway/serve-health.ts'
import { describeConfig, loadConfig } from '../../platform/config.ts'
import { readAddresses } from '../../platform/role-settings.ts'
import { root, sourceFiles } from '../house/imports.ts'

interface Service {
  readonly command?: readonly string[]
  readonly build?: { readonly context: string; readonly dockerfile: string }
  readonly environment: Readonly<Record<string, string | number>>
  readonly healthcheck: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly replicas: number }
  readonly ports?: readonly string[]
}

const read = (file: string) => readFileSync(join(root, file), 'utf8')
const { services } = parse(read('deploy/compose.yaml'), { merge: true }) as { services: Record<string, Service> }
const { postgres, ...processes } = services
const names = new Set<string>(describeConfig(loadConfig({})).map(({ name }) => name))
const roleOf = ({ command }: Service) => command?.[command.indexOf('--role') + 1]

describe('compose.yaml', () => {
  it('runs every role there is, each by a command that exists', () => {
    const said = Object.values(processes).map(roleOf)
    expect([...said].sort()).toEqual(roles.filter((role) => role !== 'all').sort())
    for (const { command } of Object.values(processes)) {
      expect(command?.slice(0, 2)).toEqual(['start', '--role'])
      expect(startCommand().options.map(({ long }) => long)).toContain('--role')
    }
    expect(processes.worker?.deploy?.replicas).toBe(2)
  })

  it.each(Object.entries(processes))('gives %s settings that exist and may be', (_name, { environment }) => {
    const filled = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        String(value).replace(/\$\{\w+:\?\}/g, 'x'.repeat(40)),
      ]),
    )
    expect(Object.keys(filled).filter((name) => !names.has(name))).toEqual([])
    const config = loadConfig({ ...filled, HOST: '0.0.0.0' })
    expect([config.DATABASE_URL, config.INKLING_GATEWAY_SECRET, config.INKLING_AUTH_SECRET]).not.toContain(undefined)
  })

  it('tells the gateway where each subgraph listens, and starts it after them', () => {
    const { gateway } = processes
    const subgraphs = roles.filter((role) => !['all', 'gateway', 'worker'].includes(role))
    const addresses = readAddresses(String(gateway!.environment.INKLING_SUBGRAPHS))
    expect(addresses).toEqual(
      Object.fromEntries(
        subgraphs.map((name) => [name, [`http://${name}:${processes[name]!.environment.PORT}/graphql`]]),
      ),
    )
    for (const name of subgraphs) expect(gateway!.depends_on?.[name]).toEqual({ condition: 'service_healthy' })
  })

  it('publishes the gateway alone', () => {
    const open = Object.entries(services).filter(([, { ports }]) => ports?.length)
    expect(open.map(([name]) => name)).toEqual(['gateway'])
    expect(postgres?.ports).toBeUndefined()
  })

  it.each(Object.entries(processes))(
    'asks %s for its health where it listens',
    (_name, { environment, healthcheck }) => {
      const [how, program, script, port] = healthcheck.test
      expect([how, program, existsSync(join(root, script!))]).toEqual(['CMD', 'node', true])
      expect(Number(port)).toBe(environment.PORT ?? environment.HEALTH_PORT)
    },
  )
})

describe('the health check', () => {
  let isWell = true
  let health: Awaited<ReturnType<typeof serveHealth>>
  beforeAll(async () => {
    health = await serveHealth({
      host: '127.0.0.1',
      port: 0,
      checks: async () => ({ part: { ok: isWell, says: 'a part' } }),
    })
  })
  afterAll(() => health.close())

  const check = (port: string) =>
    new Promise((resolve) =>
      spawn(process.execPath, [join(root, 'deploy/healthy.js'), port], { stdio: 'ignore' }).once('exit', resolve),
    )

  it('is 0 while the process is ready, 1 when it is not or not there', async () => {
    const port = new URL(health.url).port
    expect(await check(port)).toBe(0)
    isWell = false
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await check(port)).toBe(1)
    expect(await check('9')).toBe(1)
  })
})

describe('the Dockerfile', () => {
  const instructions = read('deploy/Dockerfile')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => line.split(/\s+/) as [string, ...string[]])

  it('copies what exists, runs scripts that exist, and starts the command line', () => {
    for (const [instruction, ...words] of instructions) {
      if (instruction !== 'COPY' || words[0]?.startsWith('--from')) continue
      for (const source of words.slice(0, -1)) expect(existsSync(join(root, source)), source).toBe(true)
    }
    const entry = instructions.find(([instruction]) => instruction === 'ENTRYPOINT')!
    const [program, script] = JSON.parse(entry.slice(1).join(' '))
    expect([program, existsSync(join(root, script))]).toEqual(['node', true])
    for (const { build } of Object.values(processes))
      expect(existsSync(join(root, 'deploy', build!.context, build!.dockerfile))).toBe(true)
  })

  it('has the Node that the code needs, a user without rights, and only settings that exist', () => {
    const bases = instructions.filter(([instruction]) => instruction === 'FROM').map(([, image]) => image)
    expect(bases.every((image) => image?.startsWith('node:24-'))).toBe(true)
    expect(instructions.findLast(([instruction]) => instruction === 'USER')?.[1]).toBe('node')
    const set = instructions.filter(([instruction]) => instruction === 'ENV').flatMap(([, ...pairs]) => pairs)
    const known = (pair: string) => names.has(pair.split('=')[0]!) || pair.startsWith('NODE_')
    expect(set.filter((pair) => !known(pair))).toEqual([])
  })

  it('keeps what runs once the development packages are gone', () => {
    const { devDependencies } = JSON.parse(read('package.json'))
    const runs = sourceFiles().filter(
      (file) =>
        !/^(tests|bench|examples|prisma\/tooling)\/|^(codegen|vitest\.config)\.ts$|generated\/|prisma\.config/.test(
          file,
        ),
    )
    const wrong = runs.flatMap((file) =>
      [...read(file).matchAll(/^import (?!type)[^'\n]*'([^.'][^']*)'/gm)]
        .map((match) => match[1]!)
        .filter((name) => Object.keys(devDependencies).some((dev) => name === dev || name.startsWith(`${dev}/`)))
        .map((name) => `${file} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })
})

describe('the systemd unit', () => {
  const unit = read('deploy/inkling@.service')

  it('starts a role, knows no other setting, and gives it time to drain', () => {
    expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node cli\/inkling\.js start --role %i$/m)
    for (const [, name] of unit.matchAll(/inkling@(\w+)/g)) expect(roles).toContain(name)
    const { DRAIN_SECONDS, SHUTDOWN_SECONDS } = loadConfig({})
    expect(Number(/TimeoutStopSec=(\d+)/.exec(unit)?.[1])).toBeGreaterThan(DRAIN_SECONDS + SHUTDOWN_SECONDS + 2)
  })

  it('is a unit that systemd understands, where systemd is there to ask', () => {
    const folder = mkdtempSync(join(tmpdir(), 'inkling-unit-'))
    const file = join(folder, 'inkling@gateway.service')
    writeFileSync(
      file,
      unit.replace('/usr/bin/node', process.execPath).replaceAll('/opt/inkling', root.replace(/\/$/, '')),
    )
    const { error, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    const isThere = (error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT'
    const complaints = isThere ? `${stdout}${stderr}`.split('\n').filter((line) => line.includes('inkling')) : []
    expect(complaints).toEqual([])
  })
})
