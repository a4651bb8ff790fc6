import type { Registry } from '../../registry/registry.ts'
import type { Model } from '../define.ts'
import { MODEL_KIND, type ModelVersion } from '../model-version.ts'
import { cardOf } from './card.ts'
import { htmlCard } from './html.ts'
import { markdownCard } from './markdown.ts'

export const cardFormats = ['MARKDOWN', 'HTML'] as const
export type CardFormat = (typeof cardFormats)[number]

/** A version's model card. */
export async function cardOfVersion(
  registry: Registry,
  models: readonly Model[],
  version: ModelVersion,
  format: CardFormat,
): Promise<string> {
  const pointed = new Map((await registry.moves(MODEL_KIND, version.name)).map(({ alias, toId }) => [alias, toId]))
  const aliases = [...pointed].filter(([, id]) => id === version.id).map(([alias]) => alias)
  const model = models.find(({ name }) => name === version.name) ?? null
  const card = cardOf({ version, aliases, model })
  return format === 'HTML' ? htmlCard(card) : markdownCard(card)
}
