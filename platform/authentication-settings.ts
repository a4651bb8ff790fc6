import { z } from 'zod'
import { list, seconds } from './config-values.ts'

/** Who may speak for whom: the keys that tokens are verified with, and what a token must say. */
export const authenticationSettings = {
  INKLING_AUTH_SECRET: z
    .string()
    .min(32, 'needs 32 characters: a shorter key than the hash can be guessed')
    .optional()
    .describe('Key of tokens signed with HS256. With it or INKLING_AUTH_JWKS every request needs a token.'),
  INKLING_AUTH_JWKS: z
    .string()
    .min(1)
    .optional()
    .describe('Public keys of tokens signed by an identity provider: a URL, or a file that is read at start.'),
  INKLING_AUTH_ISSUER: z.string().min(1).optional().describe('What a token must say as its issuer.'),
  INKLING_AUTH_AUDIENCE: z.string().min(1).optional().describe('What a token must name among its audience.'),
  INKLING_AUTH_TENANT: z
    .string()
    .regex(/^[\w.:@-]{1,100}$/, 'must be 1 to 100 letters, digits and _.:@-')
    .optional()
    .describe('Tenant of tokens that name none; without it they are refused.'),
  INKLING_AUTH_TOLERANCE_SECONDS: seconds(0, 60)
    .default(2)
    .describe("How far clocks may differ; a stream ends so long after its token's expiry."),
  INKLING_TRUSTED_DOCUMENTS: z
    .string()
    .min(1)
    .optional()
    .describe('A file of operations by SHA-256, as codegen writes it. With it nothing else runs.'),
  INKLING_ORIGINS: list()
    .optional()
    .describe("Origins whose pages may ask, besides the server's own: https://a.example,https://b.example."),
}
