// A tiny Prisma generator: keys, columns and relations of each model as a TypeScript constant. Prisma 7's run-time data
// model omits relations, list flags and ids, and the feature kit needs them to write SQL.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type DMMF, default as generatorHelper } from '@prisma/generator-helper'

const { generatorHandler } = generatorHelper

function columnOf(field: DMMF.Field) {
  const { dbName, name, type, kind, isList, nativeType } = field
  return [name, { column: dbName ?? name, type, kind, list: isList, native: nativeType?.[0] ?? null }]
}

function relationOf(field: DMMF.Field, model: DMMF.Model, all: readonly DMMF.Model[]) {
  const target = all.find((candidate) => candidate.name === field.type)
  const owns = (field.relationFromFields?.length ?? 0) > 0
  const other = target?.fields.find(
    (candidate) => candidate.relationName === field.relationName && (candidate !== field || model !== target),
  )
  const from = owns ? field.relationFromFields : other?.relationToFields
  const to = owns ? field.relationToFields : other?.relationFromFields
  return [field.name, { model: field.type, list: field.isList, from: from ?? [], to: to ?? [] }]
}

function keyOf(model: DMMF.Model): readonly string[] {
  const single = model.fields.find((field) => field.isId)
  if (single) return [single.name]
  return model.primaryKey?.fields ?? model.uniqueFields[0] ?? []
}

generatorHandler({
  onManifest: () => ({ prettyName: 'Inkling data model', defaultOutput: './generated/datamodel.ts' }),
  async onGenerate({ dmmf, generator }) {
    const { models } = dmmf.datamodel
    const described = Object.fromEntries(
      models.map((model) => [
        model.name,
        {
          table: model.dbName ?? model.name,
          schema: model.schema ?? null,
          key: keyOf(model),
          columns: Object.fromEntries(model.fields.filter((field) => field.kind !== 'object').map(columnOf)),
          relations: Object.fromEntries(
            model.fields.filter((field) => field.kind === 'object').map((field) => relationOf(field, model, models)),
          ),
        },
      ]),
    )
    const path = generator.output?.value
    if (!path) throw new Error('The data model generator needs an `output`.')
    await mkdir(dirname(path), { recursive: true })
    await writeFile(
      path,
      `// Written by prisma/tooling/datamodel-generator.ts. Do not edit.\nexport const datamodel = ${JSON.stringify(described, null, 2)} as const\n`,
    )
  },
})
