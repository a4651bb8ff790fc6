import type { Logger, LogWriter } from '@graphql-hive/gateway-runtime'
import type { Log } from '../platform/log.ts'

/** The runtime's own log lines, through ours: one format, one place, and only what is worth a line. */
export async function hiveLog(log: Log): Promise<Logger> {
  const { Logger } = await import('@graphql-hive/gateway-runtime')
  const writer: LogWriter = {
    write(level, attributes, message) {
      log[level]({ event: 'gateway runtime', message, attributes })
    },
  }
  return new Logger({ level: 'warn', writers: [writer] })
}
