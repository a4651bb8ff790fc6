import type { LeaderboardRow } from './artefact.ts'
import type { Study } from './context.ts'
import type { Choice } from './options.ts'
import { candidatesOf, type Search } from './search.ts'
import { nameOf, trialMetrics } from './trials.ts'

export function learnerOf({ linear, boosted }: Choice): string {
  return linear && boosted ? 'blend' : linear ? 'linear' : 'boosted'
}

export function settingsOf(choice: Choice): Record<string, number | string> {
  const prefixed = (prefix: string, settings: object | null) =>
    Object.fromEntries(Object.entries(settings ?? {}).map(([name, value]) => [`${prefix}.${name}`, value as number]))
  if (choice.linear && choice.boosted)
    return {
      linearShare: choice.linearShare,
      ...prefixed('linear', choice.linear),
      ...prefixed('boosted', choice.boosted),
    }
  return { ...(choice.linear ?? choice.boosted) } as Record<string, number>
}

/** The chosen one first, then by loss; a blend has a row of its own. */
export function leaderboardOf(study: Study, found: Search): LeaderboardRow[] {
  const chosen = candidatesOf(found.choice)
  const isBlend = chosen.length > 1
  const rows: LeaderboardRow[] = found.trials.map((trial) => ({
    learner: nameOf(trial.candidate) + (trial.rows < found.rows.length ? `, compared on ${trial.rows} rows` : ''),
    settings: { ...trial.candidate.settings },
    logLoss: trial.loss,
    metrics: trial.metrics,
    seconds: trial.seconds,
    chosen: !isBlend && trial.candidate.settings === (found.choice.linear ?? found.choice.boosted),
  }))
  if (isBlend)
    rows.push({
      learner: `blend, ${Math.round(100 * found.choice.linearShare)} % linear`,
      settings: settingsOf(found.choice),
      logLoss: found.loss,
      metrics: trialMetrics(study, found.rows, found.scores),
      seconds: 0,
      chosen: true,
    })
  return rows.sort((a, b) => Number(b.chosen) - Number(a.chosen) || a.logLoss - b.logLoss)
}
