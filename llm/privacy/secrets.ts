import type { Span } from './finding.ts'

export type FindSecrets = (text: string) => Promise<readonly Span[]>

/**
 * Secrets by secretlint's recommended rules: keys of clouds and LLM providers, private keys, connection strings with passwords.
 * Without its rule for comments: `secretlint-disable` in a prompt is nobody's leave. Loaded at the first prompt.
 */
export function createSecretFinder(): FindSecrets {
  let loading: Promise<FindSecrets> | null = null
  return async (text) => {
    loading ??= load()
    return (await loading)(text)
  }
}

async function load(): Promise<FindSecrets> {
  const [{ lintSource }, { rules }, { secretLintProfiler }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
    import('@secretlint/profiler'),
  ])
  // It keeps every rule's every mark for ever: a hundred objects a prompt, in a process that runs for months.
  secretLintProfiler.setEnabled(false)
  const kept = rules.filter(({ meta }) => !meta.id.endsWith('filter-comments'))
  const config = { rules: kept.map((rule) => ({ id: rule.meta.id, rule })) }
  return async (text) => {
    const { messages } = await lintSource({
      source: { content: text, filePath: 'prompt.txt', contentType: 'text' },
      options: { config, noPhysicFilePath: true },
    })
    return messages.map(({ ruleId, range: [start, end] }) => ({
      start,
      end,
      kind: 'SECRET',
      rule: ruleId.replace(/^.*secretlint-rule-/, ''),
    }))
  }
}
