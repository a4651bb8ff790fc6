// What the gateway costs: CPU time per request of a list of 100 entities joined over two subgraphs, against one Apollo Server
// that holds the same schemas, and over HTTP against a plain Hive gateway over the same subgraphs. Each server is a process of its
// own; rounds take turns. Usage: node bench/gateway/list.ts [rounds] [requests a round]
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'

const rounds = Number(process.argv[2] ?? 9)
const requests = Number(process.argv[3] ?? 400)
const CONCURRENT = 4

const script = fileURLToPath(new URL('./target.ts', import.meta.url))
const list = 'query($first: Int) { learners(first: $first) { nodes { id name score } totalCount } }'
const deep = 'query($first: Int) { learners(first: $first) { nodes { id name score courses { title demand } } } }'
const one = 'query($id: ID!) { learner(id: $id) { id name score } }'

interface Server {
  readonly child: ChildProcess
  readonly where: never
  readonly cpuMs: () => Promise<number>
}

async function start(kind: string, addresses: object = {}): Promise<Server> {
  const child = fork(script, [kind, JSON.stringify(addresses)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [{ where }] = await once(child, 'message')
  const cpuMs = async () => {
    child.send('cpu')
    const [answer] = await once(child, 'message')
    return answer.cpuMs as number
  }
  return { child, where: where as never, cpuMs }
}

const agent = new Agent({ keepAlive: true })
let sent = 0

/** Differs from request to request: a gateway that answers equal ones once is not to be measured by that. */
function ask(port: number, query: string, paths: readonly string[]): Promise<void> {
  const at = sent++
  const variables = { first: 97 + (at % CONCURRENT), id: String(1 + (at % 1_000)) }
  const body = JSON.stringify({ query, variables })
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const outgoing = request(
      { port, host: '127.0.0.1', path: '/graphql', method: 'POST', agent, headers },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (piece) => {
          text += piece
        })
        answer.on('end', () => {
          const isWhole =
            answer.statusCode === 200 && !text.includes('"errors"') && paths.every((path) => text.includes(path))
          if (isWhole) resolve()
          else reject(new Error(`${answer.statusCode} ${text.slice(0, 300)}`))
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

async function measure({ where, cpuMs }: Server, query: string): Promise<number> {
  const before = await cpuMs()
  let left = requests
  const caller = async () => {
    while (left-- > 0) await ask(where, query, ['"score":0.', '"name":"Learner'])
  }
  await Promise.all(Array.from({ length: CONCURRENT }, caller))
  return ((await cpuMs()) - before) / requests
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const subgraphs = await start('subgraphs')
const servers: Record<string, Server> = {
  gateway: await start('gateway'),
  'one Apollo Server': await start('one Apollo Server'),
  'gateway over HTTP': await start('gateway over HTTP', subgraphs.where),
  'plain Hive gateway': await start('plain Hive gateway', subgraphs.where),
}
const table: Record<string, Record<string, number>> = {}
for (const [name, query] of Object.entries({
  'list of 100, joined': list,
  'list with two joins': deep,
  'one entity': one,
})) {
  const seen = new Map<string, number[]>(Object.keys(servers).map((server) => [server, []]))
  for (const server of Object.values(servers)) await measure(server, query) // warm
  for (let round = 0; round < rounds; round++)
    for (const [server, target] of Object.entries(servers)) seen.get(server)!.push(await measure(target, query))
  const ms = Object.fromEntries([...seen].map(([server, values]) => [server, median(values)]))
  table[name] = {
    ...Object.fromEntries(Object.entries(ms).map(([server, value]) => [server, Number(value.toFixed(3))])),
    'in one process': Number((ms.gateway! / ms['one Apollo Server']!).toFixed(2)),
    'over HTTP': Number((ms['gateway over HTTP']! / ms['plain Hive gateway']!).toFixed(2)),
  }
}
console.table(table)
agent.destroy()
for (const { child } of [subgraphs, ...Object.values(servers)]) child.kill()
