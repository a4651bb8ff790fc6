export type TrainerErrorCode =
  | 'NO_ROWS'
  | 'NOT_ENOUGH_ROWS'
  | 'ONE_CLASS'
  | 'NO_COLUMNS'
  | 'BAD_LABEL'
  | 'BAD_DATASET'
  | 'BAD_OPTION'
  | 'LEAK'
  | 'CANNOT_CONTINUE'
  | 'ABORTED'
  | 'TRAINING_FAILED'

/** Why a training did not happen: `message` holds the numbers, `hint` the next step. Survives the way between threads as plain fields. */
export class TrainerError extends Error {
  readonly code: TrainerErrorCode
  readonly hint: string

  constructor(code: TrainerErrorCode, message: string, hint: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'TrainerError'
    this.code = code
    this.hint = hint
  }
}
