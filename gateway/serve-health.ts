import { createServer } from 'node:http'
import { keepDoors } from './draining.ts'
import type { Checks } from './health.ts'
import { sendJson } from './http-response.ts'
import { listenOn } from './listening.ts'

export interface ServeHealthOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly checks: Checks
}

/** /health and /live of a process that serves nothing else. */
export async function serveHealth({ host, port, checks }: ServeHealthOptions) {
  const server = createServer()
  keepDoors(
    server,
    (_request, response) => sendJson(response, 404, { status: 'nothing is here but /health and /live' }),
    {
      checks,
      shutdownSeconds: 0,
      endStreams() {},
      cut() {},
    },
  )
  const taken = await listenOn(server, host, port)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    async close(): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
