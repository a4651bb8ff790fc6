import { readFileSync } from 'node:fs'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  SignJWT,
} from 'jose'
import { LRUCache } from 'lru-cache'
import type { Config } from './config.ts'
import { InklingError, messageOf } from './errors.ts'
import type { Log } from './log.ts'
import { isScope, localViewer, type Viewer } from './viewer.ts'

/** Who a token speaks for, and until when. */
export interface Authenticated {
  readonly viewer: Viewer
  /** When the token ends, clock tolerance included; absent for the local administrator. */
  readonly expiresAt?: Date
}

export interface Authentication {
  /** Whether keys are configured. Without them every caller is the local administrator. */
  readonly isRequired: boolean
  /**
   * Verifies an Authorization header. Throws UNAUTHENTICATED, the same for every fault: what was wrong is in the log.
   * Throws UNAVAILABLE when the provider's keys cannot be fetched.
   */
  authenticate(authorization: string | undefined): Promise<Authenticated>
}

export type AuthenticationConfig = Pick<
  Config,
  | 'INKLING_AUTH_SECRET'
  | 'INKLING_AUTH_JWKS'
  | 'INKLING_AUTH_ISSUER'
  | 'INKLING_AUTH_AUDIENCE'
  | 'INKLING_AUTH_TENANT'
  | 'INKLING_AUTH_TOLERANCE_SECONDS'
>

/** Longer than any token that fits a request's headers beside others. */
const LONGEST_TOKEN = 8_192
/**
 * A token verified so recently is not verified again: the events of a stream ask many times a second. Keys at a URL may be withdrawn
 * meanwhile; a secret and a file are read at start, so that what they verified stays verified until it ends.
 */
const REMEMBERED_MS = 5_000
const PUBLIC_KEY_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const NAME = /^[\w.:@|+-]{1,200}$/

/** Without keys: everybody is the local administrator. */
export const openAuthentication: Authentication = {
  isRequired: false,
  authenticate: async () => ({ viewer: localViewer }),
}

/** Verifies tokens with the configured keys. Throws CONFIG_INVALID for a key file that cannot be read. */
export function createAuthentication(config: AuthenticationConfig, log: Log): Authentication {
  const { INKLING_AUTH_SECRET: secret, INKLING_AUTH_JWKS: jwks } = config
  if (!secret && !jwks) return openAuthentication
  const secretKey = secret ? new TextEncoder().encode(secret) : null
  const publicKeys = jwks ? publicKeysAt(jwks) : null
  const { INKLING_AUTH_TOLERANCE_SECONDS: tolerance } = config
  const rules = {
    clockTolerance: tolerance,
    requiredClaims: ['sub', 'exp'],
    ...(config.INKLING_AUTH_ISSUER ? { issuer: config.INKLING_AUTH_ISSUER } : {}),
    ...(config.INKLING_AUTH_AUDIENCE ? { audience: config.INKLING_AUTH_AUDIENCE } : {}),
  }
  const verified = new LRUCache<string, Required<Authenticated>>({
    max: 5_000,
    ttl: jwks && isUrl(jwks) ? REMEMBERED_MS : 0,
  })

  /** The algorithm names the kind of key, never the key: a public key taken for a secret verifies what anybody can sign. */
  async function payloadOf(token: string): Promise<JWTPayload> {
    const { alg } = decodeProtectedHeader(token)
    if (secretKey && alg === 'HS256')
      return (await jwtVerify(token, secretKey, { ...rules, algorithms: [alg] })).payload
    if (!publicKeys) throw new Error('the token is not signed with HS256')
    return (await jwtVerify(token, publicKeys, { ...rules, algorithms: PUBLIC_KEY_ALGORITHMS })).payload
  }

  return {
    isRequired: true,
    async authenticate(authorization) {
      const token = tokenOf(authorization)
      const known = verified.get(token)
      if (known && known.expiresAt.getTime() > Date.now()) return known
      try {
        const payload = await payloadOf(token)
        const expiresAt = new Date((Number(payload.exp) + tolerance) * 1_000)
        const authenticated = { viewer: viewerOf(payload, config.INKLING_AUTH_TENANT), expiresAt }
        verified.set(token, authenticated)
        return authenticated
      } catch (error) {
        if (error instanceof KeysUnreachable) {
          log.error({ event: 'keys of tokens could not be fetched', reason: messageOf(error) })
          throw new InklingError('UNAVAILABLE', 'Tokens cannot be verified at the moment.', 'Try again in a moment.')
        }
        log.info({ event: 'token refused', reason: reasonOf(error) })
        throw unauthenticated()
      }
    },
  }
}

export interface TokenClaims {
  readonly subject: string
  readonly tenant: string
  readonly scopes: readonly string[]
  /** From now. */
  readonly seconds: number
}

/** A token that this installation accepts, signed with INKLING_AUTH_SECRET. Throws CONFIG_INVALID without one. */
export async function signToken(config: AuthenticationConfig, claims: TokenClaims): Promise<string> {
  if (!config.INKLING_AUTH_SECRET) {
    throw new InklingError(
      'CONFIG_INVALID',
      'There is no key to sign a token with: INKLING_AUTH_SECRET is not set.',
      'Set INKLING_AUTH_SECRET to 32 characters or more; with INKLING_AUTH_JWKS your identity provider makes the tokens.',
    )
  }
  const now = Math.floor(Date.now() / 1_000)
  const token = new SignJWT({ tenant: claims.tenant, scope: claims.scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(claims.subject)
    .setIssuedAt(now)
    .setExpirationTime(now + claims.seconds)
  if (config.INKLING_AUTH_ISSUER) token.setIssuer(config.INKLING_AUTH_ISSUER)
  if (config.INKLING_AUTH_AUDIENCE) token.setAudience(config.INKLING_AUTH_AUDIENCE)
  return token.sign(new TextEncoder().encode(config.INKLING_AUTH_SECRET))
}

/** What a stream says last when its viewer's token ends. */
export function tokenExpired(): InklingError {
  return new InklingError('UNAUTHENTICATED', 'The token has expired.', 'Ask again with a new token.')
}

/** Whether an address can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name)
}

/** An open door stays at home: without keys everybody is an administrator. Throws CONFIG_INVALID. */
export function refuseOpenDoor(config: Pick<Config, 'HOST' | 'INKLING_AUTH_SECRET' | 'INKLING_AUTH_JWKS'>): void {
  if (config.INKLING_AUTH_SECRET || config.INKLING_AUTH_JWKS || isLoopback(config.HOST)) return
  throw new InklingError(
    'CONFIG_INVALID',
    `HOST=${config.HOST} can be reached by others, and without INKLING_AUTH_SECRET or INKLING_AUTH_JWKS everybody would be an administrator.`,
    'Set INKLING_AUTH_SECRET (or INKLING_AUTH_JWKS) and send tokens, or leave HOST at 127.0.0.1.',
  )
}

function tokenOf(authorization: string | undefined): string {
  const token = /^Bearer +(\S+) *$/i.exec(authorization?.slice(0, LONGEST_TOKEN + 16) ?? '')?.[1]
  if (!token || token.length > LONGEST_TOKEN) throw unauthenticated()
  return token
}

/** Claims as a viewer. Scopes that this release does not know are none. */
function viewerOf(payload: JWTPayload, tenantOfNone: string | undefined): Viewer {
  const { sub, tenant = tenantOfNone, scope = '' } = payload
  if (!isName(sub) || !isName(tenant)) throw new Error('sub or tenant is missing or not a name')
  const said = typeof scope === 'string' ? scope.split(' ') : Array.isArray(scope) ? scope.map(String) : []
  return { id: sub, tenant, scopes: [...new Set(said.filter(isScope))] }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

function publicKeysAt(where: string): JWTVerifyGetKey {
  if (isUrl(where)) {
    const keys = createRemoteJWKSet(new URL(where), { timeoutDuration: 3_000 })
    return (header, token) =>
      keys(header, token).catch((error) => {
        throw isUnreachable(error) ? new KeysUnreachable(messageOf(error)) : error
      })
  }
  try {
    return createLocalJWKSet(JSON.parse(readFileSync(where, 'utf8')) as JSONWebKeySet)
  } catch (cause) {
    throw new InklingError(
      'CONFIG_INVALID',
      `INKLING_AUTH_JWKS: ${where} is not a file of public keys: ${messageOf(cause)}`,
      'Name a URL, or a JSON file { "keys": [...] }.',
      { cause },
    )
  }
}

function isUrl(where: string): boolean {
  return /^https?:\/\//.test(where)
}

/** The provider did not answer, as opposed to: it has no such key. */
function isUnreachable(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true // fetch failed
  return error instanceof errors.JWKSTimeout || error.code === errors.JOSEError.code // not 200, or no JSON
}

class KeysUnreachable extends Error {}

/** A code where there is one: messages of the library may quote claims. */
function reasonOf(error: unknown): string {
  return error instanceof errors.JOSEError ? error.code : messageOf(error)
}

function unauthenticated(): InklingError {
  return new InklingError(
    'UNAUTHENTICATED',
    'The request needs a valid token.',
    'Send the header "authorization: Bearer <token>"; on a WebSocket put authorization into connectionParams.',
  )
}
