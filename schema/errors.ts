import { type ErrorCode, InklingError } from '../platform/errors.ts'

// biome-ignore lint/suspicious/noExplicitAny: builders differ in their types from subgraph to subgraph
type AnyBuilder = any

/** The error types of the graph and the codes that each stands for. */
const errorTypes = {
  InvalidInputError: [
    'BAD_USER_INPUT',
    'IMPORT_INVALID',
    'FEATURE_MISMATCH',
    'LLM_NO_TARGET',
    'LLM_REQUEST_REJECTED',
    'SECRET_IN_PROMPT',
  ],
  NotFoundError: ['NOT_FOUND', 'MODEL_UNKNOWN', 'JOB_UNKNOWN'],
  ForbiddenError: ['FORBIDDEN', 'UNAUTHENTICATED'],
  ConflictError: [
    'JOB_STATE',
    'CONFLICT',
    'ARTEFACT_INVALID',
    'COMPLETION_STATE',
    'COMPLETION_LOST',
    'OUTCOME_DERIVED',
    'ALERT_STATE',
  ],
  TooManyJobsError: ['TOO_MANY_JOBS'],
  RateLimitedError: ['RATE_LIMITED'],
  BudgetExceededError: ['BUDGET_EXCEEDED'],
  UnavailableError: [
    'UNAVAILABLE',
    'DATABASE_UNAVAILABLE',
    'DEADLINE_EXCEEDED',
    'LLM_UNAVAILABLE',
    'LLM_OVERLOADED',
    'COMPLETION_ELSEWHERE',
    'CANCELLED',
  ],
} as const satisfies Record<string, readonly ErrorCode[]>

export type ErrorTypeName = keyof typeof errorTypes

const says: Record<ErrorTypeName, string> = {
  InvalidInputError: 'An argument was refused.',
  NotFoundError: 'There is no such thing, or you may not see it.',
  ForbiddenError: 'You may not do that.',
  ConflictError: 'The thing is not in a state that allows it.',
  TooManyJobsError: 'Your quota of unfinished jobs is used up.',
  RateLimitedError: 'You ask more often than you may; try again later.',
  BudgetExceededError: 'There is no money left for it.',
  UnavailableError: 'A part that is needed does not answer; try again.',
}

/** An error as the answer of a mutation. Not an `Error`: graphql-js throws every instance of one that a resolver returns. */
export class Failure {
  readonly typeName: ErrorTypeName
  readonly message: string
  readonly code: ErrorCode
  readonly hint: string

  constructor(typeName: ErrorTypeName, error: InklingError) {
    this.typeName = typeName
    this.message = error.message
    this.code = error.code
    this.hint = error.hint
  }
}

/**
 * Registers `interface Error { message code hint }` and the named error types on a builder, and returns a function that makes
 * the answer of a mutation: a union of its payload and of those errors, or of some of them.
 */
export function registerErrors(builder: AnyBuilder, names: readonly ErrorTypeName[]) {
  const ErrorInterface = builder.interfaceRef('Error').implement({
    description: 'Something that was expected to go wrong: what happened, and what to do next.',
    fields: (t: AnyBuilder) => ({
      message: t.exposeString('message', { description: 'What happened, with the values.' }),
      code: t.exposeString('code', { description: 'A stable code for programs.' }),
      hint: t.exposeString('hint', { description: 'What to do next.' }),
    }),
  })
  const references = names.map((name) =>
    builder.objectRef(name).implement({
      description: says[name],
      directives: { shareable: {} },
      interfaces: [ErrorInterface],
      isTypeOf: (value: unknown) => value instanceof Failure && value.typeName === name,
    }),
  )
  return function resultOf(
    payload: { name: string },
    unionName: string,
    failures: readonly ErrorTypeName[] = names,
  ): AnyBuilder {
    return builder.unionType(unionName, {
      description: 'The payload, or what went wrong.',
      types: [payload, ...references.filter((_reference, at) => failures.includes(names[at]!))],
      resolveType: (value: unknown) => (value instanceof Failure ? value.typeName : payload.name),
    })
  }
}

/** Runs a mutation's work; an error of one of the named types becomes its answer, any other is thrown and masked. */
export async function withErrors<T>(names: readonly ErrorTypeName[], work: () => Promise<T>): Promise<T | Failure> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof InklingError)) throw error
    const { code } = error
    const name = names.find((candidate) => (errorTypes[candidate] as readonly string[]).includes(code))
    if (!name) throw error
    return new Failure(name, error)
  }
}
