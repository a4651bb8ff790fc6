import { z } from 'zod'
import { seconds, whole } from './config-values.ts'

/** How answers of LLMs are kept, limited and resumed. Providers and targets are in a file of their own. */
export const llmSettings = {
  INKLING_LLM_REQUESTS_PER_MINUTE: whole(1, 1_000_000)
    .default(120)
    .describe('Questions to LLMs that one viewer may ask within a minute, counted by each process.'),
  INKLING_LLM_GRACE_SECONDS: seconds(0, 600)
    .default(15)
    .describe('How long an answer goes on after its last reader has gone, for who comes back; 0 stops it at once.'),
  INKLING_LLM_CACHE_SECONDS: seconds(0, 86_400)
    .default(300)
    .describe(
      'How long an answer at temperature 0 is given again to the same question of the same tenant; 0 keeps none.',
    ),
  INKLING_LLM_SEMANTIC_TARGET: z
    .string()
    .min(1)
    .optional()
    .describe('Target that embeds questions, so that those that mean the same share an answer. Off without.'),
  INKLING_LLM_SEMANTIC_THRESHOLD: z.coerce
    .number()
    .min(0.5, 'less than 0.5 is no likeness')
    .max(1)
    .default(0.95)
    .describe('Least cosine of two questions that share an answer.'),
}
