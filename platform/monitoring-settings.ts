import { z } from 'zod'

/** What is remembered of predictions, and whom alerts are told. */
export const monitoringSettings = {
  INKLING_PREDICTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(90)
    .describe('Days that single served predictions are kept; sums by day are kept for 800.'),
  INKLING_OUTCOMES_PER_HOUR: z.coerce
    .number()
    .int()
    .min(1)
    .default(1000)
    .describe('Outcomes that a viewer without models:train may record of one model in an hour.'),
  INKLING_OUTCOMES_WEIGHED: z.coerce
    .number()
    .int()
    .min(0)
    .default(100)
    .describe('How many outcomes of such a viewer count in a day; the others are kept apart.'),
  INKLING_ALERT_WEBHOOK: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where alerts are posted, signed; nowhere when absent. The only address that is ever called for alerts.'),
  INKLING_ALERT_SECRET: z
    .string()
    .min(16, 'needs 16 characters: shorter ones can be guessed')
    .optional()
    .describe('Signs what is posted: HMAC-SHA256 of timestamp and body.'),
  INKLING_ALERT_PRIVATE: z
    .enum(['on', 'off'])
    .default('off')
    .describe('Whether the webhook may lie at a private address.'),
}
