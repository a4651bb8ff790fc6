import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { InklingError, messageOf } from '../platform/errors.ts'
import { ClientError } from './client-error.ts'
import type { GraphQLParams } from './client-request.ts'

/** The operations that may run where no others do: written by who runs this installation, persisted by codegen. */
export interface TrustedDocuments {
  readonly size: number
  /** The text of the document that a request names by id or sends word for word; nothing else is parsed. Throws DOCUMENT_UNKNOWN. */
  textOf(params: GraphQLParams): string
}

/** Reads `{ "sha256:<hash>": "<text>" }`. Throws CONFIG_INVALID when it is not that, or an id is not the hash of its text. */
export function readTrustedDocuments(file: string): TrustedDocuments {
  let documents: Map<string, string>
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
    documents = new Map(Object.entries(content).map(([id, text]) => [id.replace(/^sha256:/, ''), text]))
  } catch (cause) {
    throw invalid(file, messageOf(cause))
  }
  for (const [id, text] of documents) {
    if (typeof text !== 'string' || hashOf(text) !== id) throw invalid(file, `"${id}" is not the SHA-256 of its text`)
  }
  return {
    size: documents.size,
    textOf({ query, documentId }) {
      const text = documents.get(documentId ?? hashOf(query))
      if (text === undefined) throw documentUnknown()
      return text
    },
  }
}

export function documentUnknown(): ClientError {
  return new ClientError('The document is not known here.', {
    code: 'DOCUMENT_UNKNOWN',
    hint: 'Send an operation that was registered with this server.',
  })
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function invalid(file: string, reason: string): InklingError {
  return new InklingError(
    'CONFIG_INVALID',
    `INKLING_TRUSTED_DOCUMENTS: ${file} is not a file of documents: ${reason}`,
    'Have codegen write it: the client preset with persistedDocuments and hashAlgorithm sha256.',
  )
}
