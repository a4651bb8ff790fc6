import type { Model } from '../../ml/define.ts'
import { findModel } from '../../ml/training-job.ts'
import { models } from '../../models/index.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { type Ground, openGround } from '../ground.ts'

/** Who moved an alias, in the audit log. */
export const BY = 'command line'

/** Opens the registry for one command about one model, and closes it whatever happens. Throws MODEL_UNKNOWN before anything is opened. */
export async function withModel<T>(
  name: string,
  work: (model: Model, registry: Registry, ground: Ground) => Promise<T>,
): Promise<T> {
  const model = findModel(models, name)
  const ground = await openGround({ quiet: true })
  try {
    return await work(model, createRegistry(ground.database, ground), ground)
  } finally {
    await ground.close()
  }
}

export function print(value: unknown, isJson: boolean | undefined, text: () => string): void {
  process.stdout.write(isJson ? `${JSON.stringify(value, null, 2)}\n` : text())
}
