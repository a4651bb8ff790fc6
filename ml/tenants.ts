import { DEFAULT_TENANT } from '../platform/viewer.ts'
import type { KeyValues, Model, SqlClient } from './define.ts'

/** Whose each entity is, in the order of the keys; null for one that is not there. Costs nothing where the model does not say. */
export async function tenantsOf(
  model: Model,
  client: SqlClient,
  keys: readonly KeyValues[],
): Promise<readonly (string | null)[]> {
  return model.tenants ? model.tenants(client, keys) : keys.map(() => DEFAULT_TENANT)
}

/** Under which tenant a viewer's stored scores of a model lie: a model that does not say whose its entities are is everybody's. */
export function scoredTenant(model: Model, tenant: string): string {
  return model.tenants ? tenant : DEFAULT_TENANT
}
