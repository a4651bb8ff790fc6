/** Every error that Inkling raises on purpose, by code. A new code is one line here. */
const codes = {
  BAD_USER_INPUT: { retryable: false },
  CONFIG_INVALID: { retryable: false },
  DATABASE_UNAVAILABLE: { retryable: true },
  DATA_FOLDER_IN_USE: { retryable: false },
  DATA_FOLDER_VERSION: { retryable: false },
  MIGRATION_FAILED: { retryable: false },
  CONNECTION_IN_TRANSACTION: { retryable: false },
  PORT_IN_USE: { retryable: false },
  IMPORT_INVALID: { retryable: false },
  NOT_FOUND: { retryable: false },
  CONFLICT: { retryable: false },
  FORBIDDEN: { retryable: false },
  UNAUTHENTICATED: { retryable: false },
  MODEL_UNKNOWN: { retryable: false },
  MODEL_INVALID: { retryable: false },
  MODEL_NOT_TRAINED: { retryable: true },
  FEATURE_INVALID: { retryable: false },
  FEATURE_MISMATCH: { retryable: false },
  FEATURE_READ_FAILED: { retryable: true },
  NOT_APPLICABLE: { retryable: false },
  ABSTAINED: { retryable: false },
  NO_REASONS: { retryable: false },
  NOT_STORED: { retryable: false },
  DEADLINE_EXCEEDED: { retryable: true },
  NOT_ENOUGH_ROWS: { retryable: false },
  ONE_CLASS: { retryable: false },
  LEAK: { retryable: false },
  TRAINING_FAILED: { retryable: true },
  ARTEFACT_INVALID: { retryable: false },
  INFERENCE_FAILED: { retryable: true },
  INFERENCE_OVERLOADED: { retryable: true },
  JOB_UNKNOWN: { retryable: false },
  JOB_STATE: { retryable: false },
  TOO_MANY_JOBS: { retryable: true },
  RATE_LIMITED: { retryable: true },
  OUTCOME_DERIVED: { retryable: false },
  ALERT_STATE: { retryable: false },
  WEBHOOK_REFUSED: { retryable: false },
  CANCELLED: { retryable: false },
  OUT_OF_MEMORY: { retryable: false },
  ADDRESS_REFUSED: { retryable: false },
  LLM_NO_TARGET: { retryable: false },
  LLM_UNAVAILABLE: { retryable: true },
  LLM_REQUEST_REJECTED: { retryable: false },
  SECRET_IN_PROMPT: { retryable: false },
  BUDGET_EXCEEDED: { retryable: false },
  LLM_OVERLOADED: { retryable: true },
  COMPLETION_STATE: { retryable: false },
  COMPLETION_ELSEWHERE: { retryable: true },
  COMPLETION_LOST: { retryable: false },
  UNAVAILABLE: { retryable: true },
  INTERNAL: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>

export type ErrorCode = keyof typeof codes

export class InklingError extends Error {
  override readonly name = 'InklingError'
  readonly code: ErrorCode
  /** What to do next, in one sentence. */
  readonly hint: string
  readonly retryable: boolean
  /** How long to wait before the next try, where that is known. */
  readonly retryAfterMs: number | undefined

  /** message: what happened, with the values. hint: what to do next. */
  constructor(code: ErrorCode, message: string, hint: string, options?: { cause?: unknown; retryAfterMs?: number }) {
    super(message, options)
    this.code = code
    this.hint = hint
    this.retryable = codes[code].retryable
    this.retryAfterMs = options?.retryAfterMs
  }
}

export function isInklingError(error: unknown): error is InklingError {
  return error instanceof InklingError
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
