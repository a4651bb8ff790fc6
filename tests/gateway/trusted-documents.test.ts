import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTrustedDocuments } from '../../gateway/trusted-documents.ts'
import { openStand, type Stand } from './stand.ts'

const folder = mkdtempSync(join(tmpdir(), 'inkling-documents-'))
afterAll(() => rmSync(folder, { recursive: true }))

function write(documents: Record<string, string>): string {
  const file = join(folder, `${Object.keys(documents).length}.json`)
  writeFileSync(file, JSON.stringify(documents))
  return file
}
const idOf = (text: string) => createHash('sha256').update(text).digest('hex')

/** Row 13 of the attack table, second half: nothing runs but what was registered. */
describe.each(['local', 'http'] as const)('trusted documents over the %s transport', (transport) => {
  const models = 'query Models { models }'
  const wide = 'query Wide { learners(first: 1000) { nodes { courses(first: 50) { id } } } }'
  let stand: Stand
  beforeAll(async () => {
    const documents = readTrustedDocuments(write({ [`sha256:${idOf(models)}`]: models, [idOf(wide)]: wide }))
    stand = await openStand({ transport, documents })
  })
  afterAll(() => stand.close())
  const send = async (body: object) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(stand.url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, json: (await response.json()) as { data?: object; errors?: object[] } }
  }

  it('run by id, however a client names it, and by their exact text', async () => {
    for (const body of [
      { documentId: `sha256:${idOf(models)}` },
      { documentId: idOf(models) },
      { extensions: { persistedQuery: { version: 1, sha256Hash: idOf(models) } } },
      { query: models },
    ])
      expect((await send(body)).json).toEqual({ data: { models: ['churn'] } })
  })

  it.each(['{ models }', 'query Models { models } ', '{{{{ not even GraphQL', '{ __schema { types { name } } }', ''])(
    'row 13: refuse %s with 400 and without parsing it',
    async (query) => {
      const { status, json } = await send({ query })
      expect([status, json.errors]).toMatchObject([400, [{ extensions: { code: 'DOCUMENT_UNKNOWN' } }]])
      expect(JSON.stringify(json)).not.toMatch(/Syntax|Cannot query/)
    },
  )

  it('refuse an id that is none, also one that is a property of every object', async () => {
    for (const documentId of ['0'.repeat(64), '__proto__', 'constructor'])
      expect((await send({ documentId })).status).toBe(400)
  })

  it('have the limits of bulk viewers, whoever asks', async () => {
    const { json } = await send({ documentId: idOf(wide) })
    expect(json.errors).toBeUndefined()
  })
})

it('are what codegen persists for the typed clients of this repository', () => {
  const file = fileURLToPath(new URL('../client/persisted-documents.json', import.meta.url))
  expect(readTrustedDocuments(file).size).toBeGreaterThan(10)
})

it('are refused as a file when an id is not the hash of its text, or there is no file', () => {
  expect(() => readTrustedDocuments(write({ [idOf('{ a }')]: '{ b }' }))).toThrow(/is not the SHA-256 of its text/)
  expect(() => readTrustedDocuments(join(folder, 'none.json'))).toThrow(/is not a file of documents/)
})

it('are unknown by id where there are none', async () => {
  const stand = await openStand()
  const response = await fetch(stand.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ documentId: '0'.repeat(64) }),
  })
  expect(response.status).toBe(400)
  await stand.close()
})
