import { type DestinationStream, type Logger, pino } from 'pino'
import { maskSecrets } from './masking.ts'

export type Log = Logger

/** One line per event, flat fields, JSON on stderr, so that stdout stays for what a command prints. No line holds a secret. */
export function createLog(
  level: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['authorization', '*.authorization', 'headers.cookie', '*.apiKey', '*.password'],
        censor: '[secret]',
      },
      serializers: { err: errorOf },
      hooks: { streamWrite: maskSecrets },
    },
    destination,
  )
}

/** What an error says of itself; the other fields of a driver's error quote rows (`detail`) and statements. */
function errorOf(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error)
  const { name, message, stack } = error
  return { type: name, message, stack, ...('code' in error ? { code: error.code } : {}) }
}
