import { createHash } from 'node:crypto'
import type { FeatureSpec, Model } from '../define.ts'
import { settingsOf, type TrainingSettings } from '../training-settings.ts'

/** The question as it was when a version was trained. */
export interface DefinitionProof {
  /** Of everything below. */
  readonly sha256: string
  readonly entity: string
  /** Of names, kinds, units, order and the SQL that reads the features. */
  readonly schemaHash: string
  readonly features: readonly Pick<FeatureSpec, 'name' | 'kind' | 'unit' | 'levels' | 'monotone'>[]
  /** sha256 of what decides eligibility and labels; null where own SQL decides, whose effect the rows show. */
  readonly labels: string | null
  /** Hold-outs, slices, costs and what else the model file decides about the training. */
  readonly settings: TrainingSettings
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

export function proveDefinition(model: Model, allowLeaks: readonly string[] = []): DefinitionProof {
  const proof = {
    entity: model.entity,
    schemaHash: model.schemaHash,
    features: model.features.map(({ name, kind, unit, levels, monotone }) => ({
      name,
      kind,
      ...(unit === undefined ? {} : { unit }),
      ...(levels === undefined ? {} : { levels }),
      ...(monotone === undefined ? {} : { monotone }),
    })),
    labels: model.labelShape === undefined ? null : hashOf(model.labelShape),
    settings: settingsOf(model, allowLeaks),
  }
  return { sha256: hashOf(canonical(proof)), ...proof }
}

/** JSON with sorted keys: the same for equal values, whatever wrote them. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}

/** What differs between two definitions, in words; empty when they are equal. */
export function differencesOfDefinition(recorded: DefinitionProof, found: DefinitionProof): string[] {
  if (recorded.sha256 === found.sha256) return []
  const says: string[] = []
  const before = new Map(recorded.features.map((feature) => [feature.name, canonical(feature)]))
  const after = new Map(found.features.map((feature) => [feature.name, canonical(feature)]))
  for (const [name, text] of before)
    if (!after.has(name)) says.push(`the feature ${name} is gone`)
    else if (after.get(name) !== text) says.push(`the feature ${name} changed`)
  for (const name of after.keys()) if (!before.has(name)) says.push(`the feature ${name} is new`)
  if (says.length === 0 && [...before.keys()].join() !== [...after.keys()].join())
    says.push('the features have another order')
  if (recorded.entity !== found.entity) says.push(`it is about ${found.entity}, not ${recorded.entity}`)
  if (recorded.labels !== found.labels) says.push('eligibility, label or snapshots changed')
  for (const name of new Set([...Object.keys(recorded.settings), ...Object.keys(found.settings)])) {
    const setting = name as keyof TrainingSettings
    if (canonical(recorded.settings[setting] ?? null) !== canonical(found.settings[setting] ?? null))
      says.push(`${setting} changed`)
  }
  if (says.length === 0 && recorded.schemaHash !== found.schemaHash)
    says.push('the SQL that reads the features changed')
  return says.length > 0 ? says : ['it changed']
}
