import { Command, InvalidArgumentError } from 'commander'
import { signToken } from '../platform/authentication.ts'
import { loadConfig } from '../platform/config.ts'
import { isScope, scopes } from '../platform/viewer.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }
const LONGEST_DAYS = 366

interface TokenOptions {
  readonly subject: string
  readonly tenant: string
  readonly scope: readonly string[]
  readonly expires: number
}

/** `inkling token`: a token for trying things out, alone on stdout. */
export function tokenCommand(): Command {
  return new Command('token')
    .summary('make a token for trying things out')
    .description(
      'Prints a token signed with INKLING_AUTH_SECRET, to be sent as "authorization: Bearer <token>". Scopes:\n' +
        Object.entries(scopes)
          .map(([name, says]) => `  ${name.padEnd(20)} ${says}`)
          .join('\n'),
    )
    .option('--tenant <tenant>', 'whose rows it may see', parseName, 'default')
    .option('--subject <id>', 'who is asking', parseName, 'someone')
    .option('--scope <scope...>', 'what it may do, several with spaces or commas between', parseScopes, [])
    .option('--expires <time>', `how long it holds: 90s, 15m, 1h, 30d; ${LONGEST_DAYS} days at most`, parseTime, 3_600)
    .action(async ({ subject, tenant, scope, expires }: TokenOptions) => {
      const token = await signToken(loadConfig(), { subject, tenant, scopes: scope, seconds: expires })
      process.stdout.write(`${token}\n`)
    })
}

function parseName(text: string): string {
  if (!/^[\w.:@|+-]{1,200}$/.test(text)) throw new InvalidArgumentError('Use letters, digits and _.:@|+-')
  return text
}

function parseScopes(text: string, before: readonly string[]): string[] {
  const named = text.split(/[\s,]+/).filter(Boolean)
  const unknown = named.find((scope) => !isScope(scope))
  if (unknown)
    throw new InvalidArgumentError(`There is no scope "${unknown}". Scopes: ${Object.keys(scopes).join(', ')}`)
  return [...before, ...named]
}

function parseTime(text: string): number {
  const [, amount, unit] = /^(\d{1,8})([smhd])$/.exec(text) ?? []
  const time = Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN)
  if (!(time >= 1 && time <= LONGEST_DAYS * UNITS.d!)) {
    throw new InvalidArgumentError(`Use a number and s, m, h or d, at most ${LONGEST_DAYS}d`)
  }
  return time
}
