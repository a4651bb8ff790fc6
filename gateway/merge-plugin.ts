import type { GatewayPlugin } from '@graphql-hive/gateway-runtime'
import type { DocumentNode } from 'graphql'
import { mergeFields } from './merge-fields.ts'

/** Merges fields that are selected twice, after everything was counted and validated as it was written, and before it is planned. */
export function mergePlugin(): GatewayPlugin {
  const merge = ({ args }: { args: { document: DocumentNode } }) => {
    args.document = mergeFields(args.document)
  }
  return {
    onExecute: (payload) => merge(payload as never),
    onSubscribe: (payload) => merge(payload as never),
  }
}
