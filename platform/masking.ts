// What no line, answer or page may show, wherever a setting or the message of some library quotes it.

/** Passwords before a host, signed tokens, and parameters of an address that are named like a secret. */
const PASSWORD = /(:\/\/[^:/@\s"\\]*):[^/\s"\\]+@/g
const TOKEN = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g
const PARAMETER = /([?&][\w-]*(?:password|secret|token|key)=)[^&#\s"\\]+/gi

/** The text without them; everything else stays. */
export function maskSecrets(text: string): string {
  return text.replace(PASSWORD, '$1:***@').replace(PARAMETER, '$1***').replace(TOKEN, '[token]')
}

/** The origin alone: whoever knows the path of a webhook may post to it. */
export function maskPath(address: string): string {
  return `${new URL(address).origin}/***`
}
