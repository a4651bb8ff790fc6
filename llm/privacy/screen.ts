import { InklingError } from '../../platform/errors.ts'
import type { Content, LlmRequest } from '../provider.ts'
import { type Finding, masked, type Span } from './finding.ts'
import { findPersonal, type PersonalRule } from './personal.ts'
import { createSecretFinder } from './secrets.ts'

/** What becomes of a finding: it is replaced by its kind in brackets, the request is refused, or nothing is looked for. */
export type Policy = 'mask' | 'refuse' | 'allow'

export interface PrivacyOptions {
  readonly secrets: Policy
  readonly personal: Policy
  /** Which personal data is looked for. */
  readonly rules: readonly PersonalRule[]
}

export interface Screened {
  readonly request: LlmRequest
  readonly findings: readonly Finding[]
}

/** Looks through what is about to leave. Throws SECRET_IN_PROMPT where the policy refuses; the message names rules, never values. */
export interface Screen {
  request(request: LlmRequest): Promise<Screened>
  texts(texts: readonly string[]): Promise<{ readonly texts: readonly string[]; readonly findings: readonly Finding[] }>
}

export function createScreen({ secrets, personal, rules }: PrivacyOptions): Screen {
  const findSecrets = createSecretFinder()

  async function lookThrough(text: string, found: Span[]): Promise<string> {
    const spans = [
      ...(secrets === 'allow' ? [] : await findSecrets(text)),
      ...(personal === 'allow' ? [] : findPersonal(text, rules)),
    ]
    found.push(...spans)
    return spans.length > 0 ? masked(text, spans) : text
  }
  function judge(found: readonly Span[]): Finding[] {
    const findings = new Map<string, Finding>()
    for (const { kind, rule } of found) {
      const count = (findings.get(rule)?.count ?? 0) + 1
      findings.set(rule, { kind, rule, count, isHeuristic: kind === 'PERSONAL' })
    }
    const list = [...findings.values()]
    const refused = list.filter(({ kind }) => (kind === 'SECRET' ? secrets : personal) === 'refuse')
    if (refused.length === 0) return list
    throw new InklingError(
      'SECRET_IN_PROMPT',
      `The prompt holds what may not leave: ${refused.map(({ rule, count }) => `${rule} x ${count}`).join(', ')}.`,
      refused.some(({ isHeuristic }) => isHeuristic)
        ? 'Take it out. What looks like personal data is found by patterns and may be something else.'
        : 'Take it out, and replace the secret if it is a real one.',
    )
  }
  async function piece(content: Content, found: Span[]): Promise<Content> {
    switch (content.type) {
      case 'text':
      case 'toolResult':
        return { ...content, text: await lookThrough(content.text, found) }
      case 'toolCall':
        return { ...content, argumentsJson: await lookThrough(content.argumentsJson, found) }
      case 'image':
        return content // nobody reads images here
    }
  }

  return {
    async request(request) {
      if (secrets === 'allow' && personal === 'allow') return { request, findings: [] }
      const found: Span[] = []
      const messages: LlmRequest['messages'][number][] = []
      for (const message of request.messages) {
        const content: Content[] = []
        for (const one of message.content) content.push(await piece(one, found))
        messages.push({ ...message, content })
      }
      return { request: found.length > 0 ? { ...request, messages } : request, findings: judge(found) }
    },
    async texts(texts) {
      if (secrets === 'allow' && personal === 'allow') return { texts, findings: [] }
      const found: Span[] = []
      const clean: string[] = []
      for (const text of texts) clean.push(await lookThrough(text, found))
      return { texts: clean, findings: judge(found) }
    },
  }
}
