import { AwsClient } from 'aws4fetch'
import { InklingError, messageOf } from '../../platform/errors.ts'
import { type ArtefactStore, isHash, type StoredBytes } from './store.ts'

export interface S3Options {
  readonly bucket: string
  /** Comes before every name, without slashes at its ends. */
  readonly prefix: string
  /** Origin of an S3-compatible server; AWS itself when absent. */
  readonly endpoint?: string | undefined
  readonly region: string
  readonly keyId: string
  readonly secret: string
  readonly threshold: number
  /** The longest that one request may take. */
  readonly timeoutMs?: number
}

/** Tries of a request that the server could not serve for now. */
const TRIES = 3
const PAUSE_MS = 200

/** An S3-compatible store, by signature version 4 and path-style addresses. The server checks the hash of what it is sent. */
export function createS3Store(options: S3Options): ArtefactStore {
  const { bucket, prefix, region, threshold, timeoutMs = 30_000 } = options
  const endpoint = (options.endpoint ?? `https://s3.${region}.amazonaws.com`).replace(/\/+$/, '')
  const client = new AwsClient({
    accessKeyId: options.keyId,
    secretAccessKey: options.secret,
    service: 's3',
    region,
    retries: 0, // ours: its own pauses outlast a request
  })
  const before = prefix ? `${prefix}/` : ''
  const urlOf = (sha256: string) => `${endpoint}/${bucket}/${before}${refuseOther(sha256)}`

  /** One request, tried again while the server is busy; the body is read whole, so that one cut short is tried again too. */
  async function ask(method: string, url: string, body?: Uint8Array, sha256?: string) {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await client.fetch(url, {
          method,
          redirect: 'error', // another host must not see the signature
          signal: AbortSignal.timeout(timeoutMs),
          ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
          headers: sha256 ? { 'x-amz-content-sha256': sha256 } : {},
        })
        const bytes = new Uint8Array(await answer.arrayBuffer())
        if (answer.status < 500 && answer.status !== 429)
          return { status: answer.status, bytes, headers: answer.headers }
        throw new Error(`${answer.status} ${codeIn(bytes)}`)
      } catch (cause) {
        if (attempt === TRIES) throw unavailable(method, messageOf(cause), cause)
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt))
      }
    }
  }
  async function must(method: string, url: string, ok: readonly number[], body?: Uint8Array, sha256?: string) {
    const answer = await ask(method, url, body, sha256)
    if (ok.includes(answer.status)) return answer
    throw unavailable(method, `${answer.status} ${codeIn(answer.bytes)}`)
  }

  return {
    kind: 's3',
    threshold,
    async put(sha256, bytes) {
      await must('PUT', urlOf(sha256), [200], bytes, sha256)
    },
    async get(sha256) {
      const answer = await must('GET', urlOf(sha256), [200, 404])
      return answer.status === 404 ? null : answer.bytes
    },
    async keptAt(sha256) {
      const answer = await must('HEAD', urlOf(sha256), [200, 404])
      return answer.status === 404 ? null : new Date(answer.headers.get('last-modified') ?? 0)
    },
    async remove(sha256) {
      await must('DELETE', urlOf(sha256), [200, 204, 404])
    },
    async *list() {
      let after: string | null = null
      do {
        const query = new URLSearchParams({ 'list-type': '2', prefix: before })
        if (after !== null) query.set('continuation-token', after)
        const { bytes } = await must('GET', `${endpoint}/${bucket}?${query}`, [200])
        const page = new TextDecoder().decode(bytes)
        for (const [, entry] of page.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
          const sha256 = (textIn(entry!, 'Key') ?? '').slice(before.length)
          const keptAt = new Date(textIn(entry!, 'LastModified') ?? Number.NaN)
          if (isHash(sha256) && !Number.isNaN(keptAt.getTime())) yield { sha256, keptAt } satisfies StoredBytes
        }
        after = textIn(page, 'IsTruncated') === 'true' ? textIn(page, 'NextContinuationToken') : null
      } while (after !== null)
    },
  }
}

function refuseOther(sha256: string): string {
  if (isHash(sha256)) return sha256
  throw new InklingError(
    'BAD_USER_INPUT',
    `"${sha256.slice(0, 80)}" is no sha256.`,
    'Artefacts are named by their hash.',
  )
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** The text of an XML element that holds nothing but text. */
function textIn(xml: string, element: string): string | null {
  const found = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1]
  return found?.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole) ?? null
}

/** What an error answer calls itself, such as SlowDown; never its body, which may quote the request. */
function codeIn(bytes: Uint8Array): string {
  return textIn(new TextDecoder().decode(bytes.subarray(0, 4096)), 'Code') ?? ''
}

function unavailable(method: string, what: string, cause?: unknown): InklingError {
  return new InklingError(
    'UNAVAILABLE',
    `The artefact store does not answer a ${method}: ${what.trim()}`,
    'See that bucket, endpoint, region and keys of INKLING_ARTEFACTS are right and that the server is up.',
    { cause },
  )
}
