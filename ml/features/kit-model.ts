import { createAges } from './ages.ts'
import { builtEligibility, builtFeatures, builtLabel } from './builder.ts'
import { checkQuestion, invalid, specOf } from './checks.ts'
import { windowOf } from './conditions.ts'
import { type Datamodel, ownOf } from './datamodel.ts'
import type { KitDefinition } from './definition.ts'
import { judgementOf } from './judgement.ts'
import { entityKey } from './keys.ts'
import type { FeatureSpec, Model } from './model.ts'
import { createOwner } from './owner.ts'
import type { ModelName, SchemaTypes } from './payload.ts'
import { policyOf } from './policy.ts'
import { createReader } from './reader.ts'
import { schemaHashOf } from './schema-hash.ts'
import { createSnapshots } from './snapshots.ts'
import { sourcesOf } from './sources.ts'
import { oneOf, spotOf } from './spot.ts'
import { watchingOf } from './watching.ts'

/** A model in the words of the kit, checked against the data model and compiled. Throws MODEL_INVALID or FEATURE_INVALID. */
export function defineWithKit<S extends SchemaTypes, M extends ModelName<S>>(
  datamodel: Datamodel,
  definition: KitDefinition<S, M>,
): Model {
  checkQuestion(definition)
  const { name, entity, question, field, probabilityField, bands, gates, split, group, minimumRows, snapshots } =
    definition
  const root = ownOf(datamodel, entity)
  if (!root) throw invalid(name, `there is no entity "${entity}"`, oneOf(Object.keys(datamodel)))
  const key = entityKey(entity, root, spotOf(name, 'entity'))
  const features = new Map(Object.entries(definition.features(builtFeatures<S, M>())))
  if (features.size === 0) throw invalid(name, 'it has no features', 'Name at least one.')
  const specs: FeatureSpec[] = [...features].map(([feature, { kind, text }]) => specOf(name, feature, kind, text))
  const eligible = definition.eligible?.(builtEligibility<S, M>())
  const label = definition.label(builtLabel<S, M>())
  const owner = definition.tenant === undefined ? undefined : createOwner(name, datamodel, root, key, definition.tenant)
  const reader = createReader(name, datamodel, root, key, features, eligible, owner)
  const ages = createAges(name, datamodel, root, key, features)
  const snapshotLabels = createSnapshots({
    model: name,
    datamodel,
    root,
    key,
    eligible,
    label,
    snapshots: { every: snapshots.every, ...(snapshots.from === undefined ? {} : { from: snapshots.from }) },
    group,
    owner,
  })
  return {
    name,
    entity,
    key: key.fields,
    question,
    features: specs,
    bands,
    schemaHash: schemaHashOf(entity, specs, reader.shape),
    sources: sourcesOf(datamodel, root, features),
    read: reader.read,
    labelShape: JSON.stringify({ eligible, label, snapshots, group }),
    labels: snapshotLabels.labels,
    candidates: snapshotLabels.candidates,
    labelsAt: snapshotLabels.labelsAt,
    labelWindowMs: windowOf(label),
    ...policyOf(definition),
    ...watchingOf(definition),
    ...judgementOf(definition, specs),
    ...(ages ? { ages } : {}),
    ...(owner ? { tenants: owner.tenants, readsTenants: true } : {}),
    ...(field === undefined ? {} : { field }),
    ...(probabilityField === undefined ? {} : { probabilityField }),
    ...(gates === undefined ? {} : { gates }),
    ...(definition.better === undefined ? {} : { better: definition.better }),
    ...(split === undefined ? {} : { split }),
    ...(minimumRows === undefined ? {} : { minimumRows }),
    ...(group !== undefined && key.fields.includes(group) ? { group } : {}),
  }
}
