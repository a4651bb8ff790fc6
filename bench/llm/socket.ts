import { WebSocket } from 'ws'

/** Resolves once the server has taken the viewer. */
export function openSocket(url: string, viewer: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, 'graphql-transport-ws')
    socket.on('error', reject)
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${viewer}` } })),
    )
    socket.once('message', () => resolve(socket))
  })
}
