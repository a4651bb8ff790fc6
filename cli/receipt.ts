import { CHAMPION, MODEL_KIND } from '../ml/model-version.ts'
import { findModel } from '../ml/training-job.ts'
import { models } from '../models/index.ts'
import { InklingError } from '../platform/errors.ts'
import { createRegistry, type Registry } from '../registry/registry.ts'
import { openGround } from './ground.ts'

/** Prints the receipt of a version by its number, or of the champion. Throws NOT_FOUND or ARTEFACT_INVALID. */
export async function printReceipt(name: string | undefined, selector: string | true): Promise<void> {
  if (name === undefined)
    throw new InklingError(
      'BAD_USER_INPUT',
      '--receipt is about one model.',
      'Name it: `inkling models churn --receipt`.',
    )
  const model = findModel(models, name)
  const ground = await openGround({ quiet: true })
  try {
    const registry = createRegistry(ground.database, ground)
    const id =
      selector === true ? await championOf(registry, model.name) : await numbered(registry, model.name, selector)
    if (!id)
      throw new InklingError(
        'NOT_FOUND',
        selector === true ? `No version of ${name} serves yet.` : `${name} has no version ${selector}.`,
        `List its versions: \`inkling models ${name}\`.`,
      )
    process.stdout.write(await registry.artefact(await registry.version(id), 'receipt'))
  } finally {
    await ground.close()
  }
}

async function championOf(registry: Registry, name: string): Promise<string | null> {
  return (await registry.moves(MODEL_KIND, name)).findLast(({ alias }) => alias === CHAMPION)?.toId ?? null
}

async function numbered(registry: Registry, name: string, selector: string): Promise<string | null> {
  return /^\d{1,9}$/.test(selector) ? registry.find(MODEL_KIND, name, Number(selector)) : null
}
