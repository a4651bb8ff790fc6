import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { ClientError } from './client-error.ts'
import { badRequest, type GraphQLParams, readParams } from './client-request.ts'
import type { Limits } from './limits.ts'

const decoders: Readonly<Record<string, () => NodeJS.ReadWriteStream & Readable>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

/** Reads a GraphQL request from GET or POST. Throws a ClientError for everything that is not one. */
export async function readRequest(request: IncomingMessage, limits: Limits): Promise<GraphQLParams> {
  refuseForgery(request)
  if (request.method === 'GET') return readQuery(request, limits)
  if (request.method === 'POST') return readBody(request, limits)
  throw new ClientError('GraphQL is asked by GET or POST.', { code: 'METHOD_NOT_ALLOWED' })
}

/**
 * A browser sends simple requests to any site without asking it first. The content type application/json, or for GET one of
 * these headers, makes it ask: the rule of Apollo Server, with every other content type refused as well.
 */
function refuseForgery({ method, headers }: IncomingMessage): void {
  if (method === 'POST' && /^\s*application\/json\s*(;|$)/i.test(headers['content-type'] ?? '')) return
  if (method === 'GET' && (headers['apollo-require-preflight'] || headers['x-apollo-operation-name'])) return
  if (method !== 'GET' && method !== 'POST') return
  throw badRequest(
    'The request may have been forged: POST with content-type application/json, or send an apollo-require-preflight header with GET.',
  )
}

function readQuery(request: IncomingMessage, limits: Limits): GraphQLParams {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
  const json = (name: string) => {
    const text = searchParams.get(name)
    return text ? parseJson(text) : undefined
  }
  return readParams(
    {
      query: searchParams.get('query') ?? undefined,
      documentId: searchParams.get('documentId') ?? undefined,
      operationName: searchParams.get('operationName') ?? undefined,
      variables: json('variables'),
      extensions: json('extensions'),
    },
    limits.variableDepth,
  )
}

async function readBody(request: IncomingMessage, limits: Limits): Promise<GraphQLParams> {
  return readParams(await readJson(request, limits), limits.variableDepth)
}

/** Reads a JSON body within the limits, and no deeper than variables may be. Throws a ClientError for everything that is not one. */
export async function readJson(request: IncomingMessage, limits: Limits): Promise<unknown> {
  refuseForgery(request)
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) throw tooLarge()
  const bytes = await readBytes(decoded(request), limits.bodyBytes)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw badRequest('The body is not UTF-8.')
  }
  return parseJson(text)
}

function decoded(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase()
  if (!encoding || encoding === 'identity') return request
  const decoder = decoders[encoding]
  if (!decoder) {
    throw new ClientError('The content-encoding is not one of gzip, deflate, br.', { code: 'UNSUPPORTED_ENCODING' })
  }
  const stream = decoder()
  request.on('error', (error) => stream.destroy(error))
  return request.pipe(stream)
}

/** Counts what comes out of the decoder, and stops it at the limit: a small bomb never becomes a large body. */
async function readBytes(stream: Readable, limit: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of stream.iterator({ destroyOnReturn: false })) {
      size += part.length
      if (size > limit) throw tooLarge()
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof ClientError) throw error
    throw badRequest('The body could not be read.')
  }
  return Buffer.concat(parts)
}

function tooLarge(): ClientError {
  return new ClientError('The request body is too large.', {
    code: 'BODY_TOO_LARGE',
    hint: 'Send less at once; the limit counts the body after decompression.',
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('The request is not valid JSON.')
  }
}
