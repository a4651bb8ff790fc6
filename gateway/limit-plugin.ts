import type { GatewayPlugin } from '@graphql-hive/gateway-runtime'
import {
  BREAK,
  type DocumentNode,
  type GraphQLError,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  parse,
  validate,
  visit,
} from 'graphql'
import type { Rates } from '../platform/rates.ts'
import { ClientError } from './client-error.ts'
import { type CostedOperation, exceededCost } from './cost.ts'
import { exceededLimit, type Limits, operationLimit } from './limits.ts'
import type { Operation } from './operation.ts'

/** What the plugin reads from an operation's context. */
export interface LimitedContext {
  readonly operation: Operation
  readonly isReadOnly: boolean
}

/** Stops operations that ask for too much: by their text before validation, by their lists and variables before execution. */
export function limitPlugin(limits: Limits, production: boolean, rates?: Rates): GatewayPlugin {
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string, parseOptions?: object) => parseWithin(source, parseOptions, limits.tokens))
    },
    onValidate({ setValidationFn }) {
      const findFaults: typeof validate = (schema, document, rules = []) => {
        const exceeded = exceededLimit(document, limits)
        if (exceeded) return [exceeded]
        const infinite = infiniteNumber(document)
        if (infinite) return [infinite]
        const extended = production ? [...rules, NoSchemaIntrospectionCustomRule] : rules
        const faults = validate(schema, document, extended, { maxErrors: limits.errors })
        return production ? faults.slice(0, 1).map(() => anyInvalidity()) : faults.map(invalidity)
      }
      setValidationFn(findFaults as never)
    },
    onExecute: ({ args, setResultAndStopExecution }) => {
      const fault = refusalOf(args, limits)
      if (fault) return setResultAndStopExecution({ errors: [fault] })
      if (!rates || typeOf(args) !== 'mutation') return
      return rates
        .take('mutations', contextOf(args).operation.request.viewer)
        .catch((error) => setResultAndStopExecution({ errors: [error as GraphQLError] }))
    },
    onSubscribe: ({ args, setResultAndStopExecution }) => {
      const fault = refusalOf(args, limits)
      if (fault) setResultAndStopExecution({ errors: [fault] })
    },
  }
}

function parseWithin(source: string, parseOptions: object | undefined, maxTokens: number) {
  try {
    return parse(source, { ...parseOptions, maxTokens })
  } catch (error) {
    const fault = error as GraphQLError
    if (fault.message.includes('Parsing aborted')) throw operationLimit('The operation is too long.')
    throw new ClientError(fault.message, { code: 'GRAPHQL_PARSE_FAILED' }, undefined, fault)
  }
}

/** graphql-js reads 1e400 as infinite and passes it on, although no answer can hold it. */
function infiniteNumber(document: DocumentNode): GraphQLError | null {
  let found: GraphQLError | null = null
  visit(document, {
    FloatValue(node) {
      if (Number.isFinite(Number(node.value))) return
      found = new ClientError(`${node.value} is beyond every Float.`, { code: 'BAD_USER_INPUT' }, undefined, {
        nodes: [node],
        source: undefined,
        positions: undefined,
      })
      return BREAK
    },
  })
  return found
}

interface Arguments extends Omit<CostedOperation, 'variables'> {
  readonly contextValue?: unknown
  readonly variableValues?: Record<string, unknown> | null
}

function refusalOf(args: Arguments, limits: Limits): GraphQLError | null {
  const { operation, isReadOnly } = contextOf(args)
  if (isReadOnly && typeOf(args) === 'mutation') {
    return new ClientError('Mutations are sent by POST.', { code: 'METHOD_NOT_ALLOWED' })
  }
  const isBulk = operation.request.viewer.scopes.includes('bulk')
  const allowed = isBulk ? { cost: limits.bulkCost, pageSize: limits.bulkPageSize } : limits
  return exceededCost({ ...args, variables: args.variableValues }, allowed)
}

function contextOf({ contextValue }: Arguments): LimitedContext {
  return contextValue as LimitedContext
}

function typeOf({ document, operationName }: Arguments): string | undefined {
  return getOperationAST(document, operationName)?.operation
}

function invalidity(error: GraphQLError): GraphQLError {
  return new ClientError(error.message, { code: 'GRAPHQL_VALIDATION_FAILED' }, undefined, error)
}

/** In production an invalid query is told no more than that: the words of the rules draw the schema for who has not got it. */
function anyInvalidity(): GraphQLError {
  return new ClientError('The operation is not valid in this graph.', { code: 'GRAPHQL_VALIDATION_FAILED' })
}
