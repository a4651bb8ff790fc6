import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthentication, isLoopback, refuseOpenDoor, signToken } from '../../platform/authentication.ts'
import { loadConfig } from '../../platform/config.ts'
import { silent } from '../harness.ts'

const secret = 'a secret of thirty-two characters'
const config = loadConfig({
  INKLING_AUTH_SECRET: secret,
  INKLING_AUTH_ISSUER: 'https://school.example',
  INKLING_AUTH_AUDIENCE: 'inkling',
  INKLING_AUTH_TOLERANCE_SECONDS: '0',
})
const key = new TextEncoder().encode(secret)
const now = () => Math.floor(Date.now() / 1_000)

const claims = (more: object = {}) => ({
  sub: 'ada',
  tenant: 'north',
  scope: 'jobs:read predictions:read made:up',
  iss: 'https://school.example',
  aud: 'inkling',
  exp: now() + 60,
  ...more,
})
const sign = (payload: object, with_: Uint8Array | KeyObject = key, header: object = {}) =>
  new SignJWT(payload as never).setProtectedHeader({ alg: 'HS256', ...header }).sign(with_)

describe('a token signed with the secret', () => {
  const { authenticate } = createAuthentication(config, silent)
  const as = async (token: string) => authenticate(`Bearer ${token}`)

  it('names viewer, tenant and the scopes that exist', async () => {
    const { viewer, expiresAt } = await as(await sign(claims()))
    expect(viewer).toEqual({ id: 'ada', tenant: 'north', scopes: ['jobs:read', 'predictions:read'] })
    expect(Math.abs(expiresAt!.getTime() - Date.now() - 60_000)).toBeLessThan(2_000)
    expect((await as(await sign(claims({ scope: ['jobs:read', 7] })))).viewer.scopes).toEqual(['jobs:read'])
    expect((await as(await sign(claims({ scope: undefined })))).viewer.scopes).toEqual([])
  })

  it('accepts what signToken makes', async () => {
    const token = await signToken(config, { subject: 'bo', tenant: 'south', scopes: ['admin'], seconds: 60 })
    expect((await as(token)).viewer).toEqual({ id: 'bo', tenant: 'south', scopes: ['admin'] })
  })

  const refused: [name: string, authorization: () => Promise<string | undefined> | string | undefined][] = [
    ['nothing', () => undefined],
    ['another scheme', () => 'Basic YWRhOmFkYQ=='],
    ['an empty token', () => 'Bearer '],
    ['no token at all', () => 'Bearer not-a-token'],
    ['three empty parts', () => 'Bearer ..'],
    ['a token of 100,000 characters', () => `Bearer ${'a'.repeat(100_000)}`],
    ['an unsigned token', () => `Bearer ${new UnsecuredJWT(claims() as never).encode()}`],
    ['another key', async () => `Bearer ${await sign(claims(), new TextEncoder().encode('x'.repeat(40)))}`],
    ['another algorithm of the same key', async () => `Bearer ${await sign(claims(), key, { alg: 'HS512' })}`],
    ['a cut signature', async () => `Bearer ${(await sign(claims())).slice(0, -4)}`],
    ['a changed claim', async () => `Bearer ${tampered(await sign(claims()))}`],
    ['another issuer', async () => `Bearer ${await sign(claims({ iss: 'https://evil.example' }))}`],
    ['another audience', async () => `Bearer ${await sign(claims({ aud: 'other' }))}`],
    ['an expired token', async () => `Bearer ${await sign(claims({ exp: now() - 1 }))}`],
    ['a token without an end', async () => `Bearer ${await sign(claims({ exp: undefined }))}`],
    ['a token that is not valid yet', async () => `Bearer ${await sign(claims({ nbf: now() + 60 }))}`],
    ['no subject', async () => `Bearer ${await sign(claims({ sub: undefined }))}`],
    ['a subject of control characters', async () => `Bearer ${await sign(claims({ sub: 'a\u0000b' }))}`],
    ['a subject that is no text', async () => `Bearer ${await sign(claims({ sub: { $ne: '' } }))}`],
    ['no tenant', async () => `Bearer ${await sign(claims({ tenant: undefined }))}`],
    ['an endless tenant', async () => `Bearer ${await sign(claims({ tenant: 'x'.repeat(5_000) }))}`],
  ]
  it.each(refused)('refuses %s with the same words', async (_name, authorization) => {
    const error = await authenticate(await authorization()).catch((caught) => caught)
    expect([error.code, error.message]).toEqual(['UNAUTHENTICATED', 'The request needs a valid token.'])
    expect(error.cause).toBeUndefined()
  })

  it('is remembered for a moment, and never beyond its end', async () => {
    const token = await sign(claims({ exp: now() + 1 }))
    await as(token)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await expect(as(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('gets the configured tenant when it names none', async () => {
    const { authenticate } = createAuthentication({ ...config, INKLING_AUTH_TENANT: 'only' }, silent)
    const { viewer } = await authenticate(`Bearer ${await sign(claims({ tenant: undefined }))}`)
    expect(viewer.tenant).toBe('only')
  })
})

describe('a token signed by an identity provider', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inkling-keys-'))
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const file = join(folder, 'keys.json')
  let provider: Server
  let url: string
  let status = 200
  const token = (more: object = {}) =>
    new SignJWT(claims(more) as never).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(privateKey)

  beforeAll(async () => {
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] })
    writeFileSync(file, keys)
    provider = createServer((_request, response) => response.writeHead(status).end(keys))
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`
  })
  afterAll(() => {
    provider.close()
    rmSync(folder, { recursive: true })
  })

  it('is verified with keys from a file or a URL', async () => {
    for (const where of [file, url]) {
      const { authenticate } = createAuthentication(loadConfig({ INKLING_AUTH_JWKS: where }), silent)
      expect((await authenticate(`Bearer ${await token()}`)).viewer.id).toBe('ada')
      await expect(authenticate(`Bearer ${await token({ exp: now() - 60 })}`)).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      })
    }
  })

  it('is no token signed with the public key as if that were a secret', async () => {
    const { authenticate } = createAuthentication({ ...config, INKLING_AUTH_JWKS: file }, silent)
    const pem = new TextEncoder().encode(publicKey.export({ format: 'pem', type: 'spki' }).toString())
    await expect(authenticate(`Bearer ${await sign(claims(), pem, { kid: 'one' })}`)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    })
    expect((await authenticate(`Bearer ${await sign(claims())}`)).viewer.id).toBe('ada') // the secret beside it
  })

  it('is UNAVAILABLE, not refused, while the provider does not answer', async () => {
    status = 500
    const { authenticate } = createAuthentication(loadConfig({ INKLING_AUTH_JWKS: url }), silent)
    await expect(authenticate(`Bearer ${await token()}`)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const gone = createAuthentication(loadConfig({ INKLING_AUTH_JWKS: 'http://127.0.0.1:9/keys' }), silent)
    await expect(gone.authenticate(`Bearer ${await token()}`)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('needs a file of keys where one is named', () => {
    expect(() => createAuthentication(loadConfig({ INKLING_AUTH_JWKS: join(folder, 'none') }), silent)).toThrow(
      /is not a file of public keys/,
    )
  })
})

describe('without keys', () => {
  it('everybody is the local administrator', async () => {
    const { isRequired, authenticate } = createAuthentication(loadConfig({}), silent)
    expect(isRequired).toBe(false)
    expect((await authenticate(undefined)).viewer).toEqual({
      id: 'local',
      tenant: 'default',
      scopes: ['admin', 'bulk'],
    })
  })

  it('only loopback is listened on', () => {
    for (const host of ['127.0.0.1', '127.8.8.8', 'localhost', '::1', '[::1]']) {
      expect(isLoopback(host)).toBe(true)
      refuseOpenDoor(loadConfig({ HOST: host }))
    }
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      'example.com',
      '127.0.0.1.example.com',
      'localhost.evil.example',
    ]) {
      expect(isLoopback(host)).toBe(false)
      expect(() => refuseOpenDoor(loadConfig({ HOST: host }))).toThrow(
        /HOST=.*INKLING_AUTH_SECRET or INKLING_AUTH_JWKS/,
      )
      refuseOpenDoor(loadConfig({ HOST: host, INKLING_AUTH_SECRET: secret }))
    }
  })

  it('a short secret is refused without being repeated', () => {
    expect(() => loadConfig({ INKLING_AUTH_SECRET: 'hunter2' })).toThrow(/INKLING_AUTH_SECRET: needs 32 characters/)
    expect(() => loadConfig({ INKLING_AUTH_SECRET: 'hunter2' })).not.toThrow(/hunter2/)
  })
})

function tampered(token: string): string {
  const [header, payload, signature] = token.split('.')
  const changed = { ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), tenant: 'other' }
  return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.')
}
