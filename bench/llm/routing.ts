// How long a routing decision over 50 targets takes, for each strategy: capabilities, availability, expected cost, order, estimates.
// Usage: node bench/llm/routing.ts [decisions=20000]

import { planRoute } from '../../llm/plan.ts'
import { bundledPrice } from '../../llm/price.ts'
import { createExtractiveProvider } from '../../llm/providers/extractive.ts'
import { hybrid } from '../../llm/strategies/hybrid.ts'
import { plainStrategies } from '../../llm/strategies/index.ts'
import { localFirst } from '../../llm/strategies/local-first.ts'
import { split } from '../../llm/strategies/split.ts'
import type { Target } from '../../llm/target.ts'
import { createTargetState } from '../../llm/target-state.ts'

const decisions = Number(process.argv[2] ?? 20_000)
const TARGETS = 50
const price = (await bundledPrice('openai', 'gpt-4o'))!
const provider = createExtractiveProvider()
const states = Array.from({ length: TARGETS }, (_, index) => {
  const target: Target = {
    name: `target-${index}`,
    provider,
    llm: 'gpt-4o',
    price,
    contextTokens: 100_000,
    capabilities: { text: true, embeddings: false, tools: true, images: index % 2 === 0, json: true },
    quality: { default: ((index * 37) % 100) / 100 },
    tags: [index % 5 === 0 ? 'local' : 'remote'],
    limits: { concurrency: null, requestsPerMinute: null, tokensPerMinute: null },
    batch: null,
    priority: (index * 13) % TARGETS,
  }
  const state = createTargetState(target, { failures: 5, restMs: 10_000 })
  const cachedShare = ((index * 11) % 10) / 10
  state.statistics.answered({
    firstTokenMs: 100 + ((index * 29) % 400),
    tokensPerSecond: 20 + index,
    cachedShare,
    at: Date.now(),
  })
  return state
})
const demand = {
  inputTokens: 1200,
  outputTokens: 500,
  needsTools: true,
  needsImages: false,
  needsJson: false,
  targets: null,
  task: 'summarize',
  key: 'viewer-1',
}
const strategies = {
  ...plainStrategies,
  'local-first then cheapest': localFirst(plainStrategies.cheapest!),
  hybrid: hybrid({ cost: 1, speed: 1, quality: 2 }),
  split: split('trial', Object.fromEntries(states.map(({ target }) => [target.name, 1]))),
}
console.log(`${TARGETS} targets, ${decisions} decisions a strategy; microseconds`)
for (const [name, rank] of Object.entries(strategies)) {
  const taken = new Float64Array(decisions)
  for (let turn = -2000; turn < decisions; turn++) {
    const start = performance.now()
    const { order } = planRoute(states, demand, { name, rank }, Date.now())
    if (order.length !== TARGETS) throw new Error('somebody is missing')
    if (turn >= 0) taken[turn] = (performance.now() - start) * 1000
  }
  taken.sort()
  const at = (share: number) => taken[Math.floor(share * decisions)]!.toFixed(1).padStart(7)
  console.log(`${name.padEnd(28)} p50 ${at(0.5)}   p95 ${at(0.95)}   p99 ${at(0.99)}`)
}
