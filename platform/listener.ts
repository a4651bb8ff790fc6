import type pg from 'pg'
import type { Log } from './log.ts'

type OnNotify = (payload: string) => void

export interface Listener {
  listen(channel: string, onNotify: OnNotify): Promise<() => Promise<void>>
  /** Makes a fresh connection of the embedded database listen, before anybody else uses it. */
  adopt(client: pg.ClientBase): Promise<void>
  close(): Promise<void>
}

const RETRY_MS = 1000
const quoted = (channel: string) => `"${channel.replaceAll('"', '""')}"`

/**
 * LISTEN over the pool. On a server one connection is held for it, and taken anew when it is lost. The embedded database has
 * one session, which the pool hands to everybody: there every connection the pool makes listens.
 */
export function createListener(pool: pg.Pool, embedded: boolean, log: Log): Listener {
  const callbacks = new Map<string, Set<OnNotify>>()
  let held: pg.PoolClient | null = null
  let opening: Promise<void> | null = null
  let isClosed = false

  function notify(channel: string, payload: string): void {
    for (const onNotify of callbacks.get(channel) ?? []) onNotify(payload)
  }
  function follow(client: pg.ClientBase): void {
    client.on('notification', (message) => notify(message.channel, message.payload ?? ''))
  }
  async function hold(): Promise<void> {
    const client = await pool.connect()
    follow(client)
    client.on('error', () => {}) // 'end' follows and reconnects
    client.once('end', () => reopen(client))
    for (const channel of callbacks.keys()) await client.query(`LISTEN ${quoted(channel)}`)
    held = client
  }
  function reopen(client: pg.PoolClient): void {
    if (held === client) held = null
    if (isClosed) return
    client.release(true)
    log.warn({ event: 'notification connection lost' })
    const attempt = () => {
      if (isClosed) return
      open().then(
        () => {
          for (const channel of callbacks.keys()) notify(channel, '')
        },
        () => setTimeout(attempt, RETRY_MS).unref(),
      )
    }
    setTimeout(attempt, RETRY_MS).unref()
  }
  function open(): Promise<void> {
    if (held) return Promise.resolve()
    opening ??= hold().finally(() => {
      opening = null
    })
    return opening
  }

  return {
    async adopt(client) {
      follow(client)
      for (const channel of callbacks.keys()) await client.query(`LISTEN ${quoted(channel)}`)
    },
    async listen(channel, onNotify) {
      const isNew = !callbacks.has(channel)
      const listeners = callbacks.get(channel) ?? new Set()
      callbacks.set(channel, listeners.add(onNotify))
      if (embedded) {
        if (isNew) await pool.query(`LISTEN ${quoted(channel)}`)
      } else {
        const wasHeld = held !== null
        await open()
        if (isNew && (wasHeld || opening === null)) await held!.query(`LISTEN ${quoted(channel)}`)
      }
      return async () => {
        listeners.delete(onNotify)
        if (listeners.size > 0 || callbacks.get(channel) !== listeners) return
        callbacks.delete(channel)
        if (isClosed) return
        const unlisten = `UNLISTEN ${quoted(channel)}`
        await (embedded ? pool.query(unlisten) : held?.query(unlisten))?.catch(() => {})
      }
    },
    async close() {
      isClosed = true
      callbacks.clear()
      await opening?.catch(() => {})
      held?.release(true)
      held = null
    },
  }
}
