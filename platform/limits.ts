/** How much one client may ask for. Every number is an upper bound that is still allowed. */
export interface Limits {
  /** Of a request body or WebSocket frame, after decompression. */
  readonly bodyBytes: number
  readonly tokens: number
  readonly depth: number
  /** Of `__schema` and `__type`, whose ordinary query nests deeper than any other. */
  readonly introspectionDepth: number
  /** Counted with fragments spread out; `__typename` is not exempt. */
  readonly aliases: number
  readonly rootFields: number
  readonly directives: number
  /** Selections once every fragment is spread out: what a fragment bomb multiplies. */
  readonly selections: number
  /** Objects that a query may return, by its list arguments. */
  readonly cost: number
  /** The same for viewers with the `bulk` scope, and for trusted documents. */
  readonly bulkCost: number
  /** Largest `first` or `last`. */
  readonly pageSize: number
  readonly bulkPageSize: number
  /** Nesting of JSON variables. */
  readonly variableDepth: number
  /** Errors returned with one result; equal ones count once. */
  readonly errors: number
  readonly operationsPerSocket: number
  readonly socketsPerViewer: number
  /** Open WebSockets of everybody together; one more is answered 503. */
  readonly sockets: number
  /** Pings and pongs that a client may send on one socket in a minute. */
  readonly pingsPerMinute: number
  /** How long a client may leave its socket unread before it is cut. */
  readonly slowConsumerMs: number
  /** How long a client may take to send its headers, and its whole request. */
  readonly headersMs: number
  readonly requestMs: number
}

export const defaultLimits: Limits = {
  bodyBytes: 256 * 1024,
  tokens: 1_000,
  depth: 12,
  introspectionDepth: 20,
  aliases: 15,
  rootFields: 10,
  directives: 20,
  selections: 5_000,
  cost: 10_000,
  bulkCost: 100_000,
  pageSize: 100,
  bulkPageSize: 1_000,
  variableDepth: 64,
  errors: 5,
  operationsPerSocket: 50,
  socketsPerViewer: 20,
  sockets: 2_000,
  pingsPerMinute: 120,
  slowConsumerMs: 30_000,
  headersMs: 10_000,
  requestMs: 30_000,
}
