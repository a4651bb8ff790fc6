import { randomUUID } from 'node:crypto'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import { createAdmission } from './admission.ts'
import type { Answering } from './completion-answer.ts'
import type { RoutedEmbeddings } from './route.ts'

export interface EmbedInput {
  readonly texts: readonly string[]
  readonly targets?: readonly string[] | undefined
}

const MOST_TEXTS = 2_048
const MOST_CHARACTERS = 2_000_000

/** Numbers that say what texts mean, paid like answers. Throws BAD_USER_INPUT. */
export async function embedTexts(
  { router, queue, budgets, log }: Pick<Answering, 'router' | 'queue' | 'budgets' | 'log'>,
  { texts, targets }: EmbedInput,
  viewer: Viewer,
  signal?: AbortSignal,
): Promise<RoutedEmbeddings> {
  const size = texts.reduce((sum, text) => sum + text.length, 0)
  if (texts.length === 0 || texts.length > MOST_TEXTS || size > MOST_CHARACTERS || texts.includes('')) {
    throw new InklingError(
      'BAD_USER_INPUT',
      'These texts are not embedded.',
      `Send 1 to ${MOST_TEXTS} texts that are not empty, ${MOST_CHARACTERS} characters in all.`,
    )
  }
  const account = { viewer, prompt: 'embedding', completionId: randomUUID() }
  return (await router()).embed(texts, {
    ...(targets === undefined ? {} : { targets }),
    ...(signal === undefined ? {} : { signal }),
    admit: createAdmission({ queue, budgets, log }, account, 'interactive'),
  })
}
