/** The longest that a provider's word is believed: an hour. */
const MOST_MS = 3_600_000

/** Milliseconds that a reply asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date. Null where it does not say. */
export function retryAfterOf(headers: Readonly<Record<string, string>>, now = Date.now()): number | null {
  const ms = Number.parseFloat(headers['retry-after-ms'] ?? '')
  if (Number.isFinite(ms)) return bounded(ms)
  const text = headers['retry-after']?.trim()
  if (!text) return null
  if (/^\d+(\.\d+)?$/.test(text)) return bounded(Number(text) * 1000)
  const date = Date.parse(text)
  return Number.isNaN(date) ? null : bounded(date - now)
}

function bounded(ms: number): number {
  return Math.min(Math.max(0, ms), MOST_MS)
}
