/** Something in a prompt that had better not leave. */
export interface Finding {
  readonly kind: 'SECRET' | 'PERSONAL'
  /** E.g. `github`, `iban`. */
  readonly rule: string
  readonly count: number
  /** Found by what it looks like: it may be something else, and others may have gone unseen. */
  readonly isHeuristic: boolean
}

/** A place in a text. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly kind: Finding['kind']
  readonly rule: string
}

/** The text with each place replaced by what stood there, in brackets; places that overlap become one. */
export function masked(text: string, spans: readonly Span[]): string {
  let result = ''
  let at = 0
  for (const { start, end, kind, rule } of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (start >= at) result += `${text.slice(at, start)}[${kind === 'SECRET' ? 'secret' : rule}]`
    at = Math.max(at, end)
  }
  return result + text.slice(at)
}
