// What the router adds to the time to the first token: raw fetch and a parser of three lines against the router in this process, over
// the same local server in a process of its own, turn by turn in one run. Counting tokens and looking for secrets are part of it.
// Usage: node bench/llm/first-token.ts [rounds=1000]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { fixedPrice } from '../../llm/price.ts'
import { createScreen } from '../../llm/privacy/screen.ts'
import { requestOf } from '../../llm/provider.ts'
import { createRemoteProvider } from '../../llm/providers/remote.ts'
import { createWire } from '../../llm/providers/wire.ts'
import { createRouter } from '../../llm/router.ts'
import type { Target } from '../../llm/target.ts'
import { createTokenCounter } from '../../llm/tokens.ts'
import { createLog } from '../../platform/log.ts'

const rounds = Number(process.argv[2] ?? 1000)
const file = fileURLToPath(new URL('../../tests/llm/provider-server/main.ts', import.meta.url))
const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
const [line] = (await once(child.stdout!, 'data')) as [Buffer]
const url = line.toString().trim()
const llm = 'x:tokens=20'
const prompt = 'Summarize what the learners did last week, in two sentences, for their teacher. '.repeat(8)

const wire = createWire({ isLocal: true })
const provider = createRemoteProvider('openai-compatible', {
  name: 'local',
  wire,
  apiKey: 'none',
  baseUrl: `${url}/v1`,
})
const targets: Target[] = ['first', 'second', 'third'].map((name, priority) => ({
  name,
  provider,
  llm,
  price: fixedPrice({ input: 1, cachedInput: 0.1, output: 4 }),
  contextTokens: 100_000,
  capabilities: { text: true, embeddings: false, tools: true, images: true, json: true },
  quality: {},
  tags: ['local'],
  limits: { concurrency: null, requestsPerMinute: null, tokensPerMinute: null },
  batch: null,
  priority,
}))
const counter = createTokenCounter({ isExact: true })
await counter.count(prompt)
const log = createLog('silent')
const screen = createScreen({ secrets: 'mask', personal: 'mask', rules: ['email', 'iban'] })
const bare = createRouter({ targets, log, counter })
const screening = createRouter({ targets, log, counter, screen })

async function rawFetch(): Promise<number> {
  const start = performance.now()
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
    body: JSON.stringify({
      model: llm,
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 100,
      messages: [{ role: 'user', content: prompt }],
    }),
  })
  const decoder = new TextDecoder()
  let first = 0
  let rest = ''
  for await (const bytes of response.body!) {
    rest += decoder.decode(bytes, { stream: true })
    const frames = rest.split('\n\n')
    rest = frames.pop()!
    for (const frame of frames) {
      if (first || frame === 'data: [DONE]') continue
      if (JSON.parse(frame.slice(6)).choices[0]?.delta?.content) first = performance.now() - start
    }
  }
  return first
}

async function routed(router: typeof bare): Promise<number> {
  const start = performance.now()
  let first = 0
  for await (const part of router.stream(requestOf(prompt, { maxTokens: 100 }), { strategy: 'cheapest' }))
    if (part.type === 'text') first ||= performance.now() - start
  return first
}

const ways = {
  'raw fetch': rawFetch,
  router: () => routed(bare),
  'router with screening': () => routed(screening),
}
const taken = new Map(Object.keys(ways).map((name) => [name, [] as number[]]))
for (let round = -100; round < rounds; round++)
  for (const [name, ask] of Object.entries(ways)) {
    const ms = await ask()
    if (round >= 0) taken.get(name)!.push(ms)
  }
child.stdin!.end()
wire.close()
console.log(`${rounds} rounds, one after the other; milliseconds to the first token`)
const quantile = (list: number[], share: number) => list.toSorted((a, b) => a - b)[Math.floor(share * list.length)]!
const base = quantile(taken.get('raw fetch')!, 0.5)
for (const [name, list] of taken) {
  const [p50, p95] = [quantile(list, 0.5), quantile(list, 0.95)]
  console.log(
    `${name.padEnd(22)} p50 ${p50.toFixed(2)}   p95 ${p95.toFixed(2)}   added at the median ${(p50 - base).toFixed(2)}`,
  )
}
