import { z } from 'zod'
import { port, seconds, whole } from './config-values.ts'

/** The addresses by subgraph, in the order given; null when the text is no such list. */
export function readAddresses(text: string): Readonly<Record<string, readonly string[]>> | null {
  const addresses: Record<string, string[]> = {}
  for (const entry of text.split(',')) {
    const [, name, url] = /^\s*([a-z][a-z0-9-]*)=(https?:\/\/[^\s,]+?)\/*\s*$/.exec(entry) ?? []
    if (!name || !url || !URL.canParse(url)) return null
    const isOrigin = new URL(url).pathname === '/'
    addresses[name] = [...(addresses[name] ?? []), isOrigin ? `${url}/graphql` : url]
  }
  return addresses
}

/** Processes of one role: where the others are, what they share, how they end. */
export const roleSettings = {
  INKLING_SUBGRAPHS: z
    .string()
    .refine((text) => readAddresses(text) !== null, 'must be a list like learning=http://host:4001,ml=http://host:4002')
    .optional()
    .describe(
      "Where a gateway's subgraphs are served, and where an llm process asks ml; a name that comes again is one more process.",
    ),
  INKLING_GATEWAY_SECRET: z
    .string()
    .min(32, 'needs 32 characters: whoever guesses it may ask subgraphs as the gateway')
    .optional()
    .describe('Signs what the gateway asks of subgraphs in other processes; the same in all of them.'),
  INKLING_SUBGRAPH_DEADLINE_MS: whole(
    100,
    120_000,
    'must be 100 to 120,000: less is cut on a busy day, more is no answer',
  )
    .default(10_000)
    .describe(
      'How long the gateway waits for a subgraph in another process; then its part of the answer is UNAVAILABLE.',
    ),
  INKLING_FIRST_TRAINING: z
    .enum(['on', 'off'])
    .default('on')
    .describe('Whether a worker trains, when it starts, what was never trained.'),
  HEALTH_PORT: port().default(0).describe("Port of a worker's /health; 0 takes a free one."),
  DRAIN_SECONDS: seconds(0, 60)
    .default(0)
    .describe(
      'How long a gateway that was told to end still takes requests, while its /health says 503: balancers look away.',
    ),
}
