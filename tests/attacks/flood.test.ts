import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect as dial, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ask, until } from '../gateway/stand.ts'
import { repeat } from './refusal.ts'

const MEBIBYTE = 1024 * 1024
const json = { 'content-type': 'application/json' }

/** A process under attack. */
interface Victim {
  readonly process: ChildProcess
  readonly url: string
}

const bodyOf = (query: string, variables: object = {}) => JSON.stringify({ query, variables })
const fragments = repeat(5_000, (index) => `fragment F${index} on Learner { id }`)
const keys = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join()
const bomb = gzipSync(bodyOf('{ models }', { a: 'x'.repeat(60_000_000) }))

/** Bodies that are refused, however heavy; with the status. */
const bodies: [status: number, body: string | Buffer, headers?: Record<string, string>][] = [
  [400, bodyOf('{ a '.repeat(10_000) + '}'.repeat(10_000))],
  [400, bodyOf(`{ learners { nodes { ${'id '.repeat(10_000)} } } }`)],
  [400, bodyOf(`{ models } ${fragments}`)],
  [400, bodyOf(`{ echo(values: ${'['.repeat(100_000)}`)],
  [400, `{"query":"{ models }","variables":{"v":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`],
  ...Array.from({ length: 6 }, (): [number, string] => [413, `{"query":"{ models }","variables":{${keys}}}`]), // an answer is easily lost to who goes on sending
  [413, bodyOf('{ models }', { a: 'x'.repeat(2_000_000) })],
  [413, bomb, { 'content-encoding': 'gzip' }],
]

const attacks: Readonly<Record<string, (url: URL, time: number) => Promise<void>>> = {
  async 'rows 1, 6, 8, 10, 11, 18: bodies that weigh'(url) {
    for (const [status, body, headers] of bodies) {
      const answer = await ask(url.href, { method: 'POST', headers: { ...json, ...headers }, body: body as never })
      expect([status, answer.text.length < 2_048]).toEqual([answer.status, true])
    }
  },

  async 'row 12: 500 connections that finish neither headers nor body'(url) {
    const begun = 'POST /graphql HTTP/1.1\r\nhost: x\r\n'
    const slow = Array.from({ length: 500 }, (_, index) =>
      slowly(
        url,
        index % 2 ? `${begun}x-slow: ` : `${begun}content-type: application/json\r\ncontent-length: 90\r\n\r\n{"qu`,
      ),
    )
    const answers = await Promise.all(slow)
    expect(answers.filter((text) => text !== '' && !text.includes('408'))).toEqual([])
    expect(answers.some((text) => text.includes('408'))).toBe(true)
  },

  async 'row 36: 5,000 operations on one socket, of which 50 run'(url) {
    const socket = open(url)
    await once(socket, 'open')
    const types: Record<string, number> = {}
    socket.on('message', (message) => {
      const { type } = JSON.parse(String(message))
      types[type] = (types[type] ?? 0) + 1
    })
    socket.send('{"type":"connection_init"}')
    await until(() => types.connection_ack === 1)
    const payload = { query: 'subscription { forever { number } }' }
    for (let id = 0; id < 5_000; id++) socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }))
    await until(() => types.error === 4_950, 20_000)
    socket.terminate()
  },

  async 'row 36: 10,000 sockets, more than the process takes'(url, time) {
    const opened: WebSocket[] = []
    const refusals: string[] = []
    const dialOne = async (viewer: number) => {
      const socket = open(url)
      const refusal = await new Promise<string | null>((resolve) => {
        socket.once('open', () => {
          // One that says nothing would be closed; and each viewer has a limit of its own.
          const payload = { authorization: `Bearer viewer-${viewer}` }
          socket.send(JSON.stringify({ type: 'connection_init', payload }))
        })
        socket.once('message', () => resolve(null))
        socket.once('error', ({ message }) => resolve(message))
      })
      if (refusal === null) opened.push(socket)
      else refusals.push(refusal)
    }
    const asked = time === 0 ? 10_000 : 2_200 // what opens and is refused is the same the second time
    for (let at = 0; at < asked; at += 200)
      await Promise.all(Array.from({ length: 200 }, (_, index) => dialOne(at + index)))
    const held = opened.filter(({ readyState }) => readyState === WebSocket.OPEN).length
    for (const socket of opened) socket.terminate()
    expect([held, opened.length]).toEqual([2_000, 2_000])
    expect([...new Set(refusals)]).toEqual(['Unexpected server response: 503'])
  },

  async 'row 36: a frame of 101 MB'(url) {
    const socket = open(url)
    await once(socket, 'open')
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(101 * MEBIBYTE))
    const { _socket: wire } = socket as unknown as { _socket: Socket }
    wire.write(Buffer.concat([Buffer.from([0x81, 0xff]), length, Buffer.alloc(4), Buffer.from('begun')]))
    const [code] = await once(socket, 'close')
    expect(code).toBe(1009)
  },
}

/** Rows that are about the whole process, with its default limits: it stays healthy meanwhile, keeps no memory, and logs no error. */
describe.concurrent.each(['local', 'http'] as const)('a process over the %s transport', (transport) => {
  let victim: Victim
  beforeAll(async () => {
    const script = fileURLToPath(new URL('./flooded.ts', import.meta.url))
    const process = fork(script, [transport], { execArgv: ['--expose-gc'] })
    const [url] = (await once(process, 'message')) as [string]
    victim = { process, url }
  })
  afterAll(() => victim.process.kill('SIGKILL'))

  const figures = async (): Promise<{ rss: number; errors: number }> => {
    victim.process.send('figures')
    const [said] = await once(victim.process, 'message')
    return said
  }

  it('is healthy during every attack, and holds no more memory after the third time than after the second', async () => {
    const url = new URL(victim.url)
    const health: number[] = []
    let isOver = false
    const watching = (async () => {
      while (!isOver) health.push((await fetch(new URL('/health', url))).status)
    })()
    const held: number[] = []
    for (let time = 0; time < 3; time++) {
      for (const attack of Object.values(attacks)) {
        const before = health.length
        await attack(url, time)
        await until(() => health.length > before)
      }
      held.push((await figures()).rss)
    }
    isOver = true
    await watching
    expect(health.filter((status) => status !== 200)).toEqual([])
    expect((await figures()).errors).toBe(0)
    console.log(`${transport}: ${held.map((bytes) => Math.round(bytes / MEBIBYTE)).join(', then ')} MB`)
    expect(held[2]!).toBeLessThan(held[1]! * 1.1) // the first time it grows to what its work needs
  }, 180_000)
})

function open(url: URL): WebSocket {
  const socket = new WebSocket(url.href.replace('http', 'ws'), 'graphql-transport-ws')
  socket.on('error', () => {})
  return socket
}

/** Says so much and no more; resolves with the answer once the other side has ended the connection. */
function slowly(url: URL, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = dial(Number(url.port), '127.0.0.1', () => socket.write(text))
    socket.on('error', () => {})
    socket.on('data', (piece) => {
      answer += piece
    })
    socket.on('close', () => resolve(answer))
  })
}
