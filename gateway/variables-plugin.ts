import type { GatewayPlugin } from '@graphql-hive/gateway-runtime'
import {
  type GraphQLError,
  type GraphQLScalarType,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  isScalarType,
  valueFromASTUntyped,
} from 'graphql'
import { ClientError } from './client-error.ts'

/**
 * The supergraph knows a scalar's name alone. It is told how values are read, so that they are checked here, wherever they
 * would go; they are handed on as they came.
 */
export function teachScalars(schema: GraphQLSchema, scalars: readonly GraphQLScalarType[]): void {
  for (const scalar of scalars) {
    const known = schema.getType(scalar.name)
    if (!isScalarType(known)) continue
    known.parseValue = (value) => {
      scalar.parseValue(value)
      return value
    }
    known.parseLiteral = (node, variables) => {
      scalar.parseLiteral(node, variables)
      return valueFromASTUntyped(node, variables)
    }
  }
}

/** Refuses variables that are not what the operation says they are, even where no subgraph would come to read them. */
export function variablesPlugin(maxErrors: number): GatewayPlugin {
  return {
    onExecute: ({ args, setResultAndStopExecution }) => {
      const errors = faultsOf(args, maxErrors)
      if (errors.length > 0) setResultAndStopExecution({ errors })
    },
    onSubscribe: ({ args, setResultAndStopExecution }) => {
      const errors = faultsOf(args, maxErrors)
      if (errors.length > 0) setResultAndStopExecution({ errors })
    },
  }
}

type Arguments = Parameters<NonNullable<GatewayPlugin['onExecute']>>[0]['args']

function faultsOf(args: Arguments, maxErrors: number): GraphQLError[] {
  const definitions = getOperationAST(args.document, args.operationName)?.variableDefinitions
  if (!definitions?.length) return []
  const { errors = [] } = getVariableValues(args.schema, definitions, args.variableValues ?? {}, { maxErrors })
  return errors.map((error) => new ClientError(error.message, { code: 'BAD_USER_INPUT' }, undefined, error))
}
