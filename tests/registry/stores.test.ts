import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../platform/config.ts'
import type { Database } from '../../platform/database.ts'
import { pruneArtefacts } from '../../registry/artefacts.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { createFolderStore } from '../../registry/stores/folder.ts'
import { openArtefactStore } from '../../registry/stores/open.ts'
import { createS3Store } from '../../registry/stores/s3.ts'
import { type ArtefactStore, sha256Of } from '../../registry/stores/store.ts'
import type { NewVersion } from '../../registry/version.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { type S3Server, s3Keys, startS3 } from './s3-server.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const draft = (name: string, artefacts: Record<string, Uint8Array>): NewVersion => ({
  kind: 'model',
  name,
  state: 'REGISTERED',
  artefacts,
  schemaHash: 'h',
  contents: {},
  reasons: [],
  createdBy: 'tests',
})

let database: Database
let server: S3Server
let folder: string
beforeAll(async () => {
  database = await openTestDatabase()
  server = await startS3()
  folder = mkdtempSync(join(tmpdir(), 'inkling-artefacts-'))
})
afterAll(async () => {
  await database.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

const stores: Record<string, () => ArtefactStore> = {
  folder: () => createFolderStore(folder, 100),
  s3: () => createS3Store({ ...s3Keys, prefix: 'team/a', endpoint: server.endpoint, threshold: 100 }),
}

/** What is expected of a store, whatever stands behind it. */
for (const [kind, open] of Object.entries(stores)) {
  describe(`a store of the kind ${kind}`, () => {
    it('gives back what it was given, again and again', async () => {
      const store = open()
      const bytes = crypto.getRandomValues(new Uint8Array(50_000))
      const sha256 = sha256Of(bytes)
      expect(await store.get(sha256)).toBeNull()
      expect(await store.keptAt(sha256)).toBeNull()
      await store.put(sha256, bytes)
      await store.put(sha256, bytes)
      expect(sha256Of((await store.get(sha256))!)).toBe(sha256)
      expect(Math.abs((await store.keptAt(sha256))!.getTime() - Date.now())).toBeLessThan(60_000)
      await store.remove(sha256)
      await store.remove(sha256)
      expect(await store.get(sha256)).toBeNull()
    })

    it('lists everything under its hash, page by page, and nothing else', async () => {
      const store = open()
      const hashes = Array.from({ length: 5 }, (_, i) => sha256Of(bytesOf(`listed ${i}`)))
      for (const [i, sha256] of hashes.entries()) await store.put(sha256, bytesOf(`listed ${i}`))
      if (kind === 'folder') writeFileSync(join(folder, 'notes.txt'), 'not an artefact')
      else server.objects.set('team/a/notes.txt', { bytes: Buffer.from('x'), at: new Date() })
      const listed: string[] = []
      for await (const { sha256 } of store.list()) listed.push(sha256)
      expect(listed.sort()).toEqual(hashes.sort())
      for (const sha256 of hashes) await store.remove(sha256)
    })

    it('takes no name that is no hash', async () => {
      const store = open()
      for (const name of ['../../etc/x', '%2e%2e', 'a\0', 'CON', 'a'.repeat(300), 'A'.repeat(64)]) {
        await expect(async () => store.get(name)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
        await expect(async () => store.put(name, bytesOf('x'))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
      }
    })

    it('holds large artefacts of versions, and the database the small ones', async () => {
      const registry = createRegistry(database, { artefacts: open() })
      const large = crypto.getRandomValues(new Uint8Array(5000))
      const version = await registry.register(draft(`held-${kind}`, { onnx: large, receipt: bytesOf('small') }))
      const { rows } = await database.query<{ sha256: string; store: string; here: boolean }>(
        'SELECT "sha256", "store", "bytes" IS NOT NULL AS here FROM "inkling"."Artefact" WHERE "sha256" = ANY($1)',
        [Object.values(version.artefacts)],
      )
      expect(new Map(rows.map(({ sha256, store, here }) => [sha256, [store, here]]))).toEqual(
        new Map([
          [version.artefacts.onnx, [kind, false]],
          [version.artefacts.receipt, ['postgres', true]],
        ]),
      )
      expect(sha256Of(await registry.artefact(version, 'onnx'))).toBe(version.artefacts.onnx)
      // whoever is not set up for that store says so, and takes nothing out of service
      const other = createRegistry(database)
      await expect(other.artefact(version, 'onnx')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      expect((await registry.version(version.id)).state).toBe('REGISTERED')
      await expect(registry.artefact(version, 'dataset')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('leaves bytes and no half version when the row cannot be written, and prune removes them', async () => {
      const store = open()
      const registry = createRegistry(database, { artefacts: store })
      const bytes = crypto.getRandomValues(new Uint8Array(2000))
      await expect(
        database.transaction(async () => {
          await registry.register(draft(`half-${kind}`, { onnx: bytes }))
          throw new Error('the process dies here')
        }),
      ).rejects.toThrow('dies here')
      expect(await registry.list('model', `half-${kind}`)).toEqual([])
      expect(await store.get(sha256Of(bytes))).not.toBeNull()
      const before = new Date(Date.now() - 3_600_000)
      expect(await pruneArtefacts(database, store, before)).toEqual({ rows: 0, bytes: 0 }) // too young to be called lost
      expect((await pruneArtefacts(database, store, new Date(Date.now() + 60_000))).bytes).toBe(1)
      expect(await store.get(sha256Of(bytes))).toBeNull()
      const kept = await registry.list('model', `held-${kind}`)
      expect(await registry.artefact(kept[0]!, 'onnx')).toHaveLength(5000)
    })
  })
}

describe('artefacts', () => {
  it('quarantines a version whose bytes changed by one bit on disk, and only that', async () => {
    const lines: object[] = []
    const log = { ...silent, error: (line: object) => lines.push(line) } as never
    const registry: Registry = createRegistry(database, { artefacts: createFolderStore(folder, 100), log })
    const bytes = crypto.getRandomValues(new Uint8Array(3000))
    const version = await registry.register(draft('flipped', { onnx: bytes }))
    const other = await registry.register(draft('flipped', { onnx: crypto.getRandomValues(new Uint8Array(3000)) }))
    const flipped = bytes.slice()
    flipped[1500]! ^= 1
    const sha256 = version.artefacts.onnx!
    writeFileSync(join(folder, sha256.slice(0, 2), sha256), flipped)
    await expect(registry.artefact(version, 'onnx')).rejects.toMatchObject({ code: 'ARTEFACT_INVALID' })
    await expect(registry.artefact(version, 'onnx')).rejects.toMatchObject({ code: 'ARTEFACT_INVALID' })
    expect(await registry.version(version.id)).toMatchObject({
      state: 'QUARANTINED',
      reasons: [expect.stringContaining('hash differs')],
    })
    expect((await registry.version(other.id)).state).toBe('REGISTERED')
    expect(lines).toEqual([expect.objectContaining({ event: 'version quarantined', alert: true, name: 'flipped' })])
    // registering the same bytes again mends the file
    await registry.register(draft('mended', { onnx: bytes }))
    expect(await registry.artefact(version, 'onnx')).toHaveLength(3000)
  })

  it('never leaves a draft where a file should be', () => {
    const files = readdirSync(folder, { recursive: true }).map(String)
    expect(files.filter((name) => name.endsWith('.draft'))).toEqual([])
  })

  it('forgets artefacts that no version knows', async () => {
    await database.query(
      `INSERT INTO "inkling"."Artefact" ("sha256", "bytes", "mediaType", "createdAt")
       VALUES ('${'0'.repeat(64)}', 'x', 'application/octet-stream', now() - interval '2 days')`,
    )
    const before = new Date(Date.now() - 86_400_000)
    expect(await pruneArtefacts(database, null, before)).toEqual({ rows: 1, bytes: 0 })
    expect(await pruneArtefacts(database, null, before)).toEqual({ rows: 0, bytes: 0 })
  })
})

describe('an S3 store', () => {
  const open = (change: object = {}) =>
    createS3Store({ ...s3Keys, prefix: '', endpoint: server.endpoint, threshold: 0, ...change })
  const bytes = bytesOf('what was registered')
  const sha256 = sha256Of(bytes)

  it('asks again while the server is busy or an answer was cut short', async () => {
    const store = open()
    server.misbehave('busy', 2)
    await store.put(sha256, bytes)
    server.misbehave('cut', 1)
    expect(await store.get(sha256)).toEqual(bytes)
  })

  it('says that it is unavailable rather than that nothing is there', async () => {
    const store = open()
    server.misbehave('busy', 3)
    await expect(store.get(sha256)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('SlowDown'),
    })
    server.misbehave('redirect', 3)
    await expect(store.get(sha256)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(open({ bucket: 'other' }).put(sha256, bytes)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(open({ endpoint: 'http://127.0.0.1:9' }).get(sha256)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('is refused with other keys, and never says them', async () => {
    const failure = await open({ secret: 'guessed' })
      .get(sha256)
      .catch((error: Error) => error)
    expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('SignatureDoesNotMatch') })
    expect(JSON.stringify([failure, String(failure)])).not.toContain('guessed')
  })

  it('quarantines a version for which it hands out other bytes', async () => {
    const registry = createRegistry(database, { artefacts: open() })
    const version = await registry.register(draft('swapped', { onnx: bytesOf('served by s3') }))
    server.misbehave('other bytes', 1)
    await expect(registry.artefact(version, 'onnx')).rejects.toMatchObject({ code: 'ARTEFACT_INVALID' })
    expect((await registry.version(version.id)).state).toBe('QUARANTINED')
  })
})

describe('the setting INKLING_ARTEFACTS', () => {
  it('names a store, and is refused where that cannot be', () => {
    expect(openArtefactStore(loadConfig({}))).toBeNull()
    expect(openArtefactStore(loadConfig({ INKLING_ARTEFACTS: `folder:${folder}` }))?.kind).toBe('folder')
    const s3 = { INKLING_ARTEFACTS: 's3://bucket/some/prefix', INKLING_ARTEFACTS_KEY: 'k' }
    expect(() => openArtefactStore(loadConfig(s3))).toThrow(/keys of that store/)
    expect(openArtefactStore(loadConfig({ ...s3, INKLING_ARTEFACTS_SECRET: 's' }))?.kind).toBe('s3')
    for (const place of ['https://x/y', 'folder:', 's3://', 'file:///etc'])
      expect(() => loadConfig({ INKLING_ARTEFACTS: place })).toThrow(/INKLING_ARTEFACTS/)
  })
})
