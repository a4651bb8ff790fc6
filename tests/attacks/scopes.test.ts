import { type GraphQLField, type GraphQLObjectType, type GraphQLResolveInfo, isObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type App, createApp } from '../../app.ts'
import type { RequestContext } from '../../platform/request.ts'
import { scopesOf } from '../../schema/scopes.ts'
import { authentication, openTenantGround } from '../tenants/stand.ts'

/** What anybody who is signed in may ask, and why. */
const open: Readonly<Record<string, string>> = {
  'ml.ModelVersion': 'a version belongs to the installation; all but its name and number has scopes of its own',
  'ml.Learner': 'holds the key that was sent, and predictions, which have scopes of their own',
  'ml.Progress': 'as ml.Learner',
  'ml.Enrollment': 'as ml.Learner',
}

/** The root fields that the federation protocol adds; the gateway alone can reach them. */
const protocol = new Set(['_service', '_entities'])

let app: App
let close: () => Promise<void>
beforeAll(async () => {
  const ground = await openTenantGround()
  app = await createApp(ground, { authentication })
  close = async () => {
    await app.close()
    await ground.close()
  }
}, 240_000)
afterAll(() => close?.())

const nobody = { viewer: { id: 'nobody', tenant: 'default', scopes: [] } } as unknown as RequestContext

function fieldsOf(type: GraphQLObjectType | null | undefined): GraphQLField<unknown, unknown>[] {
  return Object.values(type?.getFields() ?? {}).filter(({ name }) => !protocol.has(name))
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'it answered'
  } catch (error) {
    return String((error as { code?: string }).code)
  }
}

describe('row 33: the whole schema', () => {
  it('refuses every mutation to a viewer without scopes, before it looks at arguments', async () => {
    const answers: string[] = []
    for (const { name, schema } of app.subgraphs)
      for (const field of fieldsOf(schema.getMutationType())) {
        const code = await codeOf(() => field.resolve!({}, {}, nobody, {} as GraphQLResolveInfo))
        answers.push(`${name}.${field.name}: ${code}`)
      }
    expect(answers.length).toBeGreaterThan(8)
    expect(answers.filter((answer) => !answer.endsWith(': FORBIDDEN'))).toEqual([])
  })

  it('declares scopes on every query and every subscription, or says why not', async () => {
    const undeclared: string[] = []
    for (const { name, schema } of app.subgraphs)
      for (const root of [schema.getQueryType(), schema.getSubscriptionType()])
        for (const field of fieldsOf(root)) {
          const id = `${name}.${field.name}`
          if (open[id]) continue
          if (!scopesOf(field)?.length) undeclared.push(id)
          const ask = field.subscribe ?? field.resolve
          expect([id, await codeOf(() => ask!({}, {}, nobody, {} as GraphQLResolveInfo))]).toEqual([id, 'FORBIDDEN'])
        }
    expect(undeclared).toEqual([])
  })

  it('gives no entity to another subgraph for a viewer who may not ask for it, or says why it may', async () => {
    const answers: string[] = []
    for (const { name, schema } of app.subgraphs)
      for (const type of Object.values(schema.getTypeMap()).filter(isObjectType)) {
        const { subgraph } = (type.extensions.apollo ?? {}) as {
          subgraph?: { resolveReference?: (...given: unknown[]) => unknown }
        }
        if (!subgraph?.resolveReference || open[`${name}.${type.name}`]) continue
        const code = await codeOf(() => subgraph.resolveReference!({ id: 'x' }, nobody, {}))
        answers.push(`${name}.${type.name}: ${code}`)
      }
    expect(answers.length).toBeGreaterThan(5)
    expect(answers.filter((answer) => !answer.endsWith(': FORBIDDEN'))).toEqual([])
  })

  it('has no reason left for a field or entity that is gone', () => {
    const there = app.subgraphs.flatMap(({ name, schema }) =>
      [
        ...Object.keys(schema.getTypeMap()),
        ...[schema.getQueryType(), schema.getSubscriptionType()].flatMap((root) =>
          fieldsOf(root).map((field) => field.name),
        ),
      ].map((one) => `${name}.${one}`),
    )
    expect(Object.keys(open).filter((id) => !there.includes(id))).toEqual([])
  })
})
