import { GraphQLError } from 'graphql'
import { InklingError, messageOf } from '../platform/errors.ts'

const DEEPEST = 32

/**
 * Refuses strings that PostgreSQL cannot hold: with a NUL, or with half of a surrogate pair. Looks through lists and input
 * objects. Throws BAD_USER_INPUT.
 */
export function refuseBrokenText(value: unknown, path = '', depth = 0): void {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw refused(path, 'holds a NUL character')
    if (!value.isWellFormed()) throw refused(path, 'holds half of a surrogate pair')
    return
  }
  if (value === null || typeof value !== 'object' || value instanceof Date) return
  if (depth > DEEPEST) throw refused(path, 'is nested too deeply')
  for (const [key, inner] of Object.entries(value)) refuseBrokenText(inner, path ? `${path}.${key}` : key, depth + 1)
}

function refused(path: string, why: string): GraphQLError {
  return new GraphQLError(`${path || 'A text'} ${why}.`, {
    extensions: { code: 'BAD_USER_INPUT', hint: 'Send well-formed Unicode text.' },
  })
}

/** JSON comes as text, because the graph's JSON is only given out: its size is that of the text, and its kind says what may be in it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InklingError('BAD_USER_INPUT', `The text is no JSON: ${messageOf(error)}`, 'Send it as JSON text.')
  }
}
