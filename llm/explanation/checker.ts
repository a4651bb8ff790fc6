import type { PredictionFacts } from './facts.ts'

/** A sentence that passed, with the features that it cites. */
export interface CheckedSentence {
  readonly text: string
  readonly features: readonly string[]
}

/** Takes text as it comes and gives out the sentences that may be shown. */
export interface Checker {
  add(text: string): CheckedSentence[]
  /** What is left when the text is over. */
  end(): CheckedSentence[]
  /** Sentences that were not shown. */
  readonly dropped: number
}

const CITATION = /\[feature:([^\]]*)\]/g
const LONGEST_SENTENCE = 1_000

/**
 * Lets through the sentences that cite at least one of the given features in the form [feature:name] and speak of no other: neither
 * cited nor named. Sentences with addresses are dropped; marks of HTML and markdown are taken out. What a language model says beyond
 * what it was given is not known to be true, and so not shown.
 */
export function createChecker({ reasons, others }: Pick<PredictionFacts, 'reasons' | 'others'>): Checker {
  const given = new Map(reasons.map(({ feature }) => [feature, feature]))
  const foreign = others.filter((name) => !given.has(name)).map((name) => mentionOf(name))
  let waiting = ''
  let dropped = 0

  function check(sentence: string): CheckedSentence | null {
    const cited = [...sentence.matchAll(CITATION)].map(([, name]) => name!.trim())
    const spoken = sentence.replace(CITATION, '')
    const isAllowed =
      cited.length > 0 &&
      cited.every((name) => given.has(name)) &&
      !foreign.some((mention) => mention.test(spoken)) &&
      !/\b(?:https?:|www\.|javascript:|data:)/i.test(spoken)
    const text = plain(spoken)
    return isAllowed && text !== '' ? { text, features: [...new Set(cited)] } : null
  }
  function take(sentences: readonly string[]): CheckedSentence[] {
    const passed: CheckedSentence[] = []
    for (const sentence of sentences) {
      if (sentence.trim() === '') continue
      const checked = check(sentence)
      if (checked) passed.push(checked)
      else dropped++
    }
    return passed
  }
  return {
    get dropped() {
      return dropped
    },
    add(text) {
      waiting += text
      const parts = waiting.split(BETWEEN)
      waiting = parts.pop()!
      if (waiting.length > LONGEST_SENTENCE) {
        parts.push(waiting)
        waiting = ''
      }
      return take(parts)
    },
    end() {
      const rest = waiting
      waiting = ''
      return take(rest.split(BETWEEN))
    },
  }
}

/** After a sentence's end and what closes it, before the next one; a citation behind the full stop still belongs to it. */
const BETWEEN = /(?<=[.!?。！？][)"'”’\]]*)\s+(?!\s*\[feature:)|(?<=[。！？])(?!\s*\[feature:)|\n+/u

/** A feature's name as a word of its own, in camel case or in separate words. */
function mentionOf(name: string): RegExp {
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').split(/[\s_-]+/)
  const spaced = words.map(escaped).join('[\\s_-]*')
  return new RegExp(`(?<![\\p{L}\\p{N}])${spaced}(?![\\p{L}\\p{N}])`, 'iu')
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function plain(text: string): string {
  return text
    .replace(/<[^>]*>/g, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[<>`*#_|~]/g, '')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/\s+([.,!?;:])/g, '$1')
    .replace(/\s+/g, ' ')
    .replace(/\(\s*\)/g, '')
    .trim()
}
