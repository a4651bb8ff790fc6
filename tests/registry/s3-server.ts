import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** What a server can be told to do to the next requests. */
export type Mischief = 'busy' | 'cut' | 'other bytes' | 'redirect'

export interface S3Server {
  readonly endpoint: string
  readonly objects: Map<string, { bytes: Buffer; at: Date }>
  /** Does this to so many of the next requests. */
  misbehave(mischief: Mischief, times: number): void
  readonly requests: number
  close(): Promise<void>
}

const KEY = 'AKIDTEST'
export const s3Keys = { keyId: KEY, secret: 'a secret of the tests', region: 'eu-test-1', bucket: 'versions' }

/** Speaks as much of S3 as the store uses, by its documentation; refuses a signature or a payload hash that is not right. */
export async function startS3(pageSize = 2): Promise<S3Server> {
  const objects: S3Server['objects'] = new Map()
  const planned: Mischief[] = []
  let requests = 0

  const server = createServer((request, response) => {
    requests++
    void serve(request, response).catch(() => response.destroy())
  })
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    const mischief = planned.shift()
    if (mischief === 'busy') return refuse(response, 503, 'SlowDown')
    if (mischief === 'redirect') return void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()
    const url = new URL(request.url ?? '/', 'http://s3')
    if (signatureOf(request, url, body) !== request.headers.authorization)
      return refuse(response, 403, 'SignatureDoesNotMatch')
    const claimed = request.headers['x-amz-content-sha256']
    if (claimed !== 'UNSIGNED-PAYLOAD' && claimed !== sha256(body))
      return refuse(response, 400, 'XAmzContentSHA256Mismatch')
    const [, bucket, ...rest] = url.pathname.split('/')
    if (bucket !== s3Keys.bucket) return refuse(response, 404, 'NoSuchBucket')
    const name = rest.join('/')
    if (name === '' && request.method === 'GET') return list(url, response)
    const found = objects.get(name)
    if (request.method === 'PUT') {
      objects.set(name, { bytes: body, at: new Date() })
      return void response.writeHead(200).end()
    }
    if (request.method === 'DELETE') {
      objects.delete(name)
      return void response.writeHead(204).end()
    }
    if (!found) return refuse(response, request.method === 'HEAD' ? 404 : 404, 'NoSuchKey')
    const length = { 'content-length': found.bytes.length, 'last-modified': found.at.toUTCString() }
    response.writeHead(200, length)
    if (request.method === 'HEAD') return void response.end()
    if (mischief === 'cut') {
      response.write(found.bytes.subarray(0, found.bytes.length >> 1))
      return void setTimeout(() => response.destroy(), 5)
    }
    const bytes = Buffer.from(found.bytes)
    if (mischief === 'other bytes') bytes[bytes.length >> 1]! ^= 1
    response.end(bytes)
  }

  function list(url: URL, response: ServerResponse): void {
    const prefix = url.searchParams.get('prefix') ?? ''
    const after = url.searchParams.get('continuation-token') ?? ''
    const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort()
    const page = names.slice(0, pageSize)
    const isTruncated = names.length > page.length
    const contents = page.map(
      (name) =>
        `<Contents><Key>${name}</Key><LastModified>${objects.get(name)!.at.toISOString()}</LastModified></Contents>`,
    )
    const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    )
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    misbehave: (mischief, times) => planned.push(...Array.from({ length: times }, () => mischief)),
    get requests() {
      return requests
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`)
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()

/** What the header must say, by the documentation of signature version 4; computed here from the request as it arrived. */
function signatureOf(request: IncomingMessage, url: URL, body: Buffer): string {
  const given = request.headers.authorization ?? ''
  const names = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(';') ?? []
  const time = String(request.headers['x-amz-date'] ?? '')
  if (!names.includes('host') || !names.includes('x-amz-date') || Math.abs(Date.now() - dateOf(time)) > 900_000)
    return 'none'
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
  const headers = names.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`).join('')
  const payload = String(request.headers['x-amz-content-sha256'] ?? sha256(body))
  const canonical = [request.method, url.pathname, query, headers, names.join(';'), payload].join('\n')
  const day = time.slice(0, 8)
  const scope = `${day}/${s3Keys.region}/s3/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`
  const key = hmac(hmac(hmac(hmac(`AWS4${s3Keys.secret}`, day), s3Keys.region), 's3'), 'aws4_request')
  const signature = hmac(key, text).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${KEY}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

function dateOf(time: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? []
  return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
}
