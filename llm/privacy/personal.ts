import type { Span } from './finding.ts'

interface Rule {
  readonly pattern: RegExp
  /** A checksum, where the thing has one. */
  readonly isPlausible?: (text: string) => boolean
}

/** Patterns are bounded, so that no text makes them slow. All of them are heuristics, and every finding says so. */
const rules = {
  email: { pattern: /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,5}/gu },
  phone: { pattern: /(?<![\w.])(?:\+|00)\d{1,3}[ ./-]?(?:\(\d{1,5}\)[ ./-]?)?\d{2,5}(?:[ ./-]?\d{2,5}){1,4}(?!\w)/g },
  iban: { pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g, isPlausible: isIban },
  creditCard: { pattern: /(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)/g, isPlausible: isCardNumber },
  ipAddress: { pattern: /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\d|\.\d)/g },
} as const satisfies Record<string, Rule>

export type PersonalRule = keyof typeof rules
export const personalRules = Object.keys(rules) as [PersonalRule, ...PersonalRule[]]

export function findPersonal(text: string, chosen: readonly PersonalRule[]): Span[] {
  return chosen.flatMap((rule) => {
    const { pattern, isPlausible }: Rule = rules[rule]
    return [...text.matchAll(pattern)]
      .filter(([match]) => isPlausible?.(match) ?? true)
      .map(({ 0: match, index }) => ({ start: index, end: index + match.length, kind: 'PERSONAL', rule }) as const)
  })
}

/** ISO 13616: moved to the end and read as a number, the country and check digits leave 1 by 97. */
function isIban(text: string): boolean {
  const compact = text.replaceAll(' ', '')
  if (compact.length < 15 || compact.length > 34) return false
  let remainder = 0
  for (const char of compact.slice(4) + compact.slice(0, 4))
    for (const digit of String(Number.parseInt(char, 36))) remainder = (remainder * 10 + Number(digit)) % 97
  return remainder === 1
}

/** Luhn's checksum. */
function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '')
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = digit * 2
    sum += index % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return digits.length >= 13 && sum % 10 === 0
}
