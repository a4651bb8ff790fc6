import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InklingError } from '../platform/errors.ts'

/** Listens and returns the port taken (0 asks for a free one). Rejects with PORT_IN_USE, or CONFIG_INVALID for an address that is not ours. */
export function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException) => reject(refusalOf(error, host, port))
    server.once('error', refuse)
    server.listen(port, host, () => {
      server.off('error', refuse)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function refusalOf(error: NodeJS.ErrnoException, host: string, port: number): InklingError {
  if (error.code === 'EADDRINUSE') {
    return new InklingError(
      'PORT_IN_USE',
      `Port ${port} on ${host} is taken by another program.`,
      `Stop that program, or choose another port: PORT=${port + 1} npm start (PORT=0 takes a free one).`,
      { cause: error },
    )
  }
  return new InklingError(
    'CONFIG_INVALID',
    `Cannot listen on ${host}:${port}: ${error.message}`,
    'HOST must be an address of this machine, and ports under 1024 need permission.',
    { cause: error },
  )
}
