import { type Logger, pino } from 'pino'

export type Log = Logger

/** One line per event, flat fields, JSON on stderr, so that stdout stays for what a command prints. */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: ['authorization', '*.authorization', 'headers.cookie', '*.apiKey', '*.password'],
        censor: '[secret]',
      },
    },
    pino.destination({ dest: 2, sync: true }),
  )
}
