import type { InklingError } from '../platform/errors.ts'
import type { FinishReason, LlmRequest, Usage } from './provider.ts'
import type { Priority } from './queue.ts'

/** What is asked for. */
export interface CompletionInput {
  /** The client's own name for it: who asks again with the same id joins the same answer. Without it, one is made. */
  readonly id?: string | undefined
  readonly request: LlmRequest
  /** Name of the prompt that the request was made from, for budgets and usage; '' for a question without one. */
  readonly prompt?: string | undefined
  readonly strategy?: string | undefined
  readonly targets?: readonly string[] | undefined
  readonly task?: string | undefined
  readonly priority?: Priority | undefined
  readonly deadlineMs?: number | undefined
  readonly isContinuable?: boolean | undefined
}

/** Where an answer came from: a call of its own, the call of an identical question, or an earlier answer. */
export type CompletionSource = 'CALL' | 'SHARED' | 'CACHE'

/** STOPPED: by stopCompletion; ABANDONED: nobody read it any more; INCOMPLETE: it broke in the middle. */
export type CompletionEnd = FinishReason | 'INCOMPLETE' | 'STOPPED' | 'ABANDONED'

interface Placed {
  readonly id: string
  /**
   * How far the answer has come: the start, every UTF-16 unit of text, every tool call and the end count one each. So an answer
   * can be resumed exactly, however its text was joined for one reader or another.
   */
  readonly sequence: number
}

export interface CompletionStarted extends Placed {
  readonly type: 'STARTED'
  /** Who answers. */
  readonly target: string
  /** BUILTIN_NOT_AN_LLM where no language model answers. */
  readonly label: string | null
  readonly source: CompletionSource
}

export interface CompletionTokensAdded extends Placed {
  readonly type: 'TOKENS'
  readonly text: string
}

export interface CompletionToolCalled extends Placed {
  readonly type: 'TOOL'
  readonly call: ToolCall
}

export interface CompletionFinished extends Placed {
  readonly type: 'FINISHED'
  readonly finishReason: CompletionEnd
  /** Null: it was stopped before anybody answered. */
  readonly target: string | null
  readonly label: string | null
  readonly source: CompletionSource
  readonly usage: Usage
  readonly costUsd: number
  readonly firstTokenMs: number | null
  readonly durationMs: number
  /** Why it is INCOMPLETE. */
  readonly problem: string | null
}

export interface CompletionFailed extends Placed {
  readonly type: 'FAILED'
  readonly error: Pick<InklingError, 'code' | 'message' | 'hint'>
}

/** The reader was too slow and was let go; it may come back with this sequence. */
export interface CompletionEventsCut extends Placed {
  readonly type: 'CUT'
}

export type CompletionTerminal = CompletionFinished | CompletionFailed
export type CompletionEvent =
  | CompletionStarted
  | CompletionTokensAdded
  | CompletionToolCalled
  | CompletionTerminal
  | CompletionEventsCut

export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly argumentsJson: string
}

/** A completion as it is kept. */
export interface Completion {
  readonly id: string
  readonly viewerId: string
  readonly prompt: string
  readonly state: 'RUNNING' | 'FINISHED' | 'FAILED'
  readonly target: string | null
  readonly label: string | null
  readonly source: CompletionSource | null
  readonly text: string
  readonly toolCalls: readonly PlacedCall[]
  readonly finishReason: CompletionEnd | null
  readonly error: Pick<InklingError, 'code' | 'message' | 'hint'> | null
  /** Why it is INCOMPLETE. */
  readonly problem: string | null
  readonly usage: Usage
  readonly costUsd: number
  readonly firstTokenMs: number | null
  readonly startedAt: Date
  readonly endedAt: Date | null
}

/** A tool call with its sequence. */
export interface PlacedCall extends ToolCall {
  readonly sequence: number
}

export const noUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, isEstimated: false }
