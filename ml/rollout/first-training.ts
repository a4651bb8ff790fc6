import type { Registry } from '../../registry/registry.ts'
import type { Model } from '../define.ts'
import { MODEL_KIND, type ModelContents, type ModelVersion } from '../model-version.ts'

/**
 * The newest version of the model file as it is, where it does not serve because somebody or a gate decided so; null when another
 * training may help. Training the same rows again would be decided in the same way.
 */
export async function heldBack(registry: Registry, model: Model): Promise<ModelVersion | null> {
  const [newest] = await registry.list<ModelContents>(MODEL_KIND, model.name, 1)
  if (!newest || newest.schemaHash !== model.schemaHash || newest.state === 'QUARANTINED') return null
  return newest
}

/** Why a version that was trained does not serve. */
export function whyHeldBack({ number, state, reasons }: ModelVersion): string {
  if (state === 'REJECTED') return `version ${number} was rejected: ${reasons.join('; ')}`
  return `version ${number} waits for ${state === 'PENDING' ? 'approval' : 'promotion'}`
}
