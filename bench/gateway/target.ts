// One server under measurement, in a process of its own: node bench/gateway/target.ts <kind> [addresses]. It tells its port and,
// whenever it is asked, the CPU time that it has used.
import { createServer } from 'node:http'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime'
import { unifiedGraphHandler } from '@graphql-hive/router-runtime'
import { transformSupergraphToPublicSchema } from '@theguild/federation-composition'
import { buildASTSchema, type GraphQLSchema, isObjectType, parse } from 'graphql'
import { composeSupergraph } from '../../gateway/compose.ts'
import { createGateway } from '../../gateway/gateway.ts'
import { serveSubgraph } from '../../gateway/serve-subgraph.ts'
import { listen } from '../../gateway/server.ts'
import { smallGraph } from '../../tests/gateway/small-graph.ts'
import { requestOf, silent } from '../../tests/gateway/stand.ts'

const [kind = '', addresses = '{}'] = process.argv.slice(2)
const urls: Record<string, string> = JSON.parse(addresses)
const secret = 'between the gateway and its subgraphs'
const { subgraphs } = smallGraph()
const request = { transport: 'http', headers: {}, requestId: 'r' } as const

/** The resolvers of all subgraphs in one schema: an entity's fields stand beside each other and `id` is all they ask of it. */
function monolith(): GraphQLSchema {
  const schema = buildASTSchema(transformSupergraphToPublicSchema(parse(composeSupergraph(subgraphs))))
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue
    for (const field of Object.values(type.getFields())) {
      for (const subgraph of subgraphs) {
        const owner = subgraph.schema.getType(type.name)
        const resolve = isObjectType(owner) ? owner.getFields()[field.name]?.resolve : undefined
        if (resolve) field.resolve = resolve
      }
    }
  }
  return schema
}

async function gatewayOver(transport: Parameters<typeof createGateway>[0]['transport']): Promise<number> {
  const gateway = await createGateway({ subgraphs, requestOf, log: silent, production: true, transport })
  const { port } = await listen({
    gateway,
    host: '127.0.0.1',
    port: 0,
    shutdownSeconds: 1,
    checks: async () => ({}),
  })
  return port
}

const starts: Record<string, () => Promise<number | Record<string, string>>> = {
  gateway: () => gatewayOver('local'),
  'gateway over HTTP': () => gatewayOver({ urls, secret }),
  'hasty gateway': () => gatewayOver({ urls, secret, timeoutMs: 2_000 }),
  async 'one Apollo Server'() {
    const server = new ApolloServer({ schema: monolith(), introspection: false })
    const { url } = await startStandaloneServer(server, {
      listen: { host: '127.0.0.1', port: 0 },
      context: async () => Object.assign({}, ...subgraphs.map((one) => one.contextOf(requestOf(request)))),
    })
    return Number(new URL(url).port)
  },
  async 'plain Hive gateway'() {
    const runtime = createGatewayRuntime({
      supergraph: composeSupergraph(subgraphs, urls),
      unifiedGraphHandler: unifiedGraphHandler as never,
      logging: false,
    })
    await runtime.getSchema()
    const server = createServer(runtime as never)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as { port: number }).port
  },
  /** As a role of its own serves it: signed requests alone, and /live. */
  async 'ml alone'() {
    const subgraph = subgraphs.find(({ name }) => name === 'ml')!
    const { url } = await serveSubgraph({ subgraph, requestOf, secret, host: '127.0.0.1', port: 0, log: silent })
    return { ml: url }
  },
  async subgraphs() {
    const served: Record<string, string> = {}
    for (const subgraph of subgraphs) {
      const server = new ApolloServer({ schema: subgraph.schema, introspection: false })
      const { url } = await startStandaloneServer(server, {
        listen: { host: '127.0.0.1', port: 0 },
        context: async () => subgraph.contextOf(requestOf(request)),
      })
      served[subgraph.name] = `${url.replace('localhost', '127.0.0.1')}graphql`
    }
    return served
  },
}

const where = await starts[kind]!()
process.once('disconnect', () => process.exit()) // who measures is gone
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send!({ cpuMs: (user + system) / 1_000 })
})
process.send!({ where })
