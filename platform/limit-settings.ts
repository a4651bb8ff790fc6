import { whole } from './config-values.ts'
import { defaultLimits, type Limits } from './limits.ts'

const KIBIBYTE = 1024
const MEBIBYTE = 1024 * KIBIBYTE

/** The limits of the edge, each a setting: what it bounds, and why it may be neither smaller nor larger. */
export const limitSettings = {
  INKLING_LIMIT_BODY_BYTES: whole(KIBIBYTE, 16 * MEBIBYTE, 'must be 1 KiB to 16 MiB: subgraphs read no more')
    .default(defaultLimits.bodyBytes)
    .describe('Largest request body or WebSocket frame, after decompression.'),
  INKLING_LIMIT_TOKENS: whole(100, 100_000, 'must be 100 to 100,000: parsing holds the event loop')
    .default(defaultLimits.tokens)
    .describe('Most tokens of an operation.'),
  INKLING_LIMIT_DEPTH: whole(2, 50, 'must be 2 to 50: every level may be a round of subgraph calls')
    .default(defaultLimits.depth)
    .describe('Deepest nesting of an operation.'),
  INKLING_LIMIT_INTROSPECTION_DEPTH: whole(2, 50, "must be 2 to 50; GraphiQL's own query needs 15")
    .default(defaultLimits.introspectionDepth)
    .describe('Deepest nesting of introspection, where it is on.'),
  INKLING_LIMIT_ALIASES: whole(0, 1_000, 'must be 0 to 1,000: each may be a subgraph field more')
    .default(defaultLimits.aliases)
    .describe('Most aliases, with fragments spread out; __typename counts.'),
  INKLING_LIMIT_ROOT_FIELDS: whole(1, 1_000, 'must be 1 to 1,000: each is planned and run at once')
    .default(defaultLimits.rootFields)
    .describe('Most root fields of an operation.'),
  INKLING_LIMIT_DIRECTIVES: whole(0, 1_000, 'must be 0 to 1,000')
    .default(defaultLimits.directives)
    .describe('Most directives of an operation.'),
  INKLING_LIMIT_SELECTIONS: whole(10, 100_000, 'must be 10 to 100,000: what a fragment bomb multiplies')
    .default(defaultLimits.selections)
    .describe('Most selections once fragments are spread out.'),
  INKLING_LIMIT_COST: whole(10, 10_000_000, 'must be 10 to 10,000,000 objects')
    .default(defaultLimits.cost)
    .describe('Most objects that an operation may return, by its list arguments.'),
  INKLING_LIMIT_BULK_COST: whole(10, 10_000_000, 'must be 10 to 10,000,000 objects')
    .default(defaultLimits.bulkCost)
    .describe('The same for viewers with the scope bulk and for trusted documents.'),
  INKLING_LIMIT_PAGE_SIZE: whole(1, 100, 'must be 1 to 100: subgraphs refuse larger pages')
    .default(defaultLimits.pageSize)
    .describe('Largest page.'),
  INKLING_LIMIT_BULK_PAGE_SIZE: whole(1, 1_000, 'must be 1 to 1,000: subgraphs refuse larger pages')
    .default(defaultLimits.bulkPageSize)
    .describe('Largest page for viewers with the scope bulk and for trusted documents.'),
  INKLING_LIMIT_VARIABLE_DEPTH: whole(1, 1_000, 'must be 1 to 1,000: deeper values are walked on the stack')
    .default(defaultLimits.variableDepth)
    .describe('Deepest nesting of JSON variables.'),
  INKLING_LIMIT_ERRORS: whole(1, 100, 'must be 1 to 100: a refusal is to stay small')
    .default(defaultLimits.errors)
    .describe('Most errors of one answer; equal ones count once.'),
  INKLING_LIMIT_SOCKET_OPERATIONS: whole(1, 1_000, 'must be 1 to 1,000')
    .default(defaultLimits.operationsPerSocket)
    .describe('Most operations at a time on one WebSocket.'),
  INKLING_LIMIT_VIEWER_SOCKETS: whole(1, 10_000, 'must be 1 to 10,000')
    .default(defaultLimits.socketsPerViewer)
    .describe('Most WebSockets of one viewer.'),
  INKLING_LIMIT_SOCKETS: whole(1, 100_000, 'must be 1 to 100,000: each costs some 20 kB and a file descriptor')
    .default(defaultLimits.sockets)
    .describe('Most WebSockets of this process; one more is answered 503.'),
  INKLING_LIMIT_PINGS: whole(10, 6_000, 'must be 10 to 6,000; clients that behave send a handful')
    .default(defaultLimits.pingsPerMinute)
    .describe('Most pings and pongs a minute on one WebSocket.'),
  INKLING_LIMIT_SLOW_CONSUMER_MS: whole(100, 600_000, 'must be 100 ms to 10 minutes')
    .default(defaultLimits.slowConsumerMs)
    .describe('How long a client may leave its stream unread before it is cut.'),
  INKLING_LIMIT_HEADERS_MS: whole(100, 120_000, 'must be 100 ms to 2 minutes: an unfinished request holds a socket')
    .default(defaultLimits.headersMs)
    .describe("How long a client may take to send a request's headers."),
  INKLING_LIMIT_REQUEST_MS: whole(100, 600_000, 'must be 100 ms to 10 minutes: an unfinished request holds a socket')
    .default(defaultLimits.requestMs)
    .describe('How long a client may take to send a whole request.'),
}

type LimitConfig = Readonly<Record<keyof typeof limitSettings, number>>

/** The limits that the settings ask for. */
export function limitsOf(config: LimitConfig): Limits {
  return {
    bodyBytes: config.INKLING_LIMIT_BODY_BYTES,
    tokens: config.INKLING_LIMIT_TOKENS,
    depth: config.INKLING_LIMIT_DEPTH,
    introspectionDepth: config.INKLING_LIMIT_INTROSPECTION_DEPTH,
    aliases: config.INKLING_LIMIT_ALIASES,
    rootFields: config.INKLING_LIMIT_ROOT_FIELDS,
    directives: config.INKLING_LIMIT_DIRECTIVES,
    selections: config.INKLING_LIMIT_SELECTIONS,
    cost: config.INKLING_LIMIT_COST,
    bulkCost: config.INKLING_LIMIT_BULK_COST,
    pageSize: config.INKLING_LIMIT_PAGE_SIZE,
    bulkPageSize: config.INKLING_LIMIT_BULK_PAGE_SIZE,
    variableDepth: config.INKLING_LIMIT_VARIABLE_DEPTH,
    errors: config.INKLING_LIMIT_ERRORS,
    operationsPerSocket: config.INKLING_LIMIT_SOCKET_OPERATIONS,
    socketsPerViewer: config.INKLING_LIMIT_VIEWER_SOCKETS,
    sockets: config.INKLING_LIMIT_SOCKETS,
    pingsPerMinute: config.INKLING_LIMIT_PINGS,
    slowConsumerMs: config.INKLING_LIMIT_SLOW_CONSUMER_MS,
    headersMs: config.INKLING_LIMIT_HEADERS_MS,
    requestMs: config.INKLING_LIMIT_REQUEST_MS,
  }
}
