/** What one call of the local server does. Everything is optional: without anything it answers five words. */
export interface Behaviour {
  /** Text in pieces, each a frame of its own; or so many made-up tokens `t0 t1 ...`. */
  readonly text?: readonly string[]
  readonly tokens?: number
  /** Length of each made-up token, filled with words. */
  readonly tokenChars?: number
  /** Bytes of made-up text in one single frame, streamed without building it. */
  readonly replyBytes?: number
  readonly reasoning?: readonly string[]
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: unknown }[]
  readonly finish?: 'stop' | 'length' | 'contentFilter'

  readonly firstTokenMs?: number
  readonly everyMs?: number
  /** Frames joined in one write; 1 by default. */
  readonly perWrite?: number
  /** Writes byte by byte, so that characters and frames are torn. */
  readonly isTorn?: boolean
  /** Says `: keep-alive` (or the protocol's ping) between the pieces. */
  readonly keepAlive?: boolean

  /** Answers with this status instead. */
  readonly status?: number
  /** Value of the Retry-After header. */
  readonly retryAfter?: string
  readonly redirectTo?: string
  /** Accepts the request and never answers. */
  readonly isSilent?: boolean
  /** Body of a successful answer that is not the protocol's at all, e.g. a proxy's HTML page. */
  readonly garbage?: string

  /** Before piece n: says nothing more; ends politely without a terminal marker; sends an error frame; breaks the connection; sends broken JSON. */
  readonly stallAt?: number
  readonly cutAt?: number
  readonly errorFrameAt?: number
  readonly dieAt?: number
  readonly invalidJsonAt?: number

  /** What is reported instead of the truth; null reports nothing. */
  readonly usage?: Partial<ReportedUsage> | null
  readonly cachedTokens?: number

  /** What happens to a batch: of the first of its requests. */
  readonly batch?: {
    /** Looks at it that find it under way. */
    readonly looks?: number
    /** Only so many are answered before it expires. */
    readonly expiresAfter?: number
    /** It is refused once its requests have been looked at. */
    readonly isRefused?: boolean
  }
}

export interface ReportedUsage {
  readonly input: number
  readonly cached: number
  readonly output: number
}

/** One request that arrived. */
export interface Call {
  readonly path: string
  readonly llm: string
  readonly headers: Readonly<Record<string, string>>
  // biome-ignore lint/suspicious/noExplicitAny: the wire's own shape, different for each protocol; tests look into it freely.
  readonly body: any
  readonly at: number
  /** Pieces written so far. */
  written: number
  /** Who ended it; null while it runs. */
  endedBy: 'server' | 'client' | null
  endedAt: number | null
}

/** A behaviour may be encoded in the LLM's name, for servers in another process: `fast:tokens=200,everyMs=10`. */
export function behaviourOf(llm: string): Behaviour {
  const [, encoded = ''] = llm.split(/:(.*)/s)
  return Object.fromEntries(
    encoded
      .split(',')
      .filter((pair) => pair.includes('='))
      .map((pair) => {
        const [name, value] = pair.split('=') as [string, string]
        return [name, value === 'true' ? true : Number.isNaN(Number(value)) ? value : Number(value)]
      }),
  )
}

export function piecesOf({ text, tokens, tokenChars = 0, toolCalls, replyBytes }: Behaviour): readonly string[] {
  if (text) return text
  if (tokens !== undefined)
    return Array.from({ length: tokens }, (_, index) => `${`t${index}`.padEnd(tokenChars - 1, ' understanding')} `)
  return toolCalls || replyBytes ? [] : ['The ', 'answer ', 'is ', 'forty', '-two.']
}
