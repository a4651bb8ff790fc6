import type { Ground } from '../cli/ground.ts'
import { createLlm, type Llm } from '../llm/engine.ts'
import { readVariable } from '../platform/config.ts'

/** The llm engine as the settings want it. Providers are configured, looked for and loaded only when somebody asks something. */
export function openLlmEngine({ config, database, log }: Ground): Llm {
  const { INKLING_LLM_SEMANTIC_TARGET: target, INKLING_LLM_SEMANTIC_THRESHOLD: threshold } = config
  return createLlm({
    database,
    log,
    async openRouter() {
      const { openRouter } = await import('../llm/open.ts')
      return openRouter({ config, lookup: readVariable, log, folder: process.cwd() })
    },
    perMinute: config.INKLING_LLM_REQUESTS_PER_MINUTE,
    graceMs: config.INKLING_LLM_GRACE_SECONDS * 1_000,
    cacheSeconds: config.INKLING_LLM_CACHE_SECONDS,
    ...(target === undefined ? {} : { semantic: { target, threshold } }),
  })
}
