// The local server as a process of its own, for benches: prints its address, ends with its parent's pipe.
// Usage: node tests/llm/provider-server/main.ts [port]; LLM names encode behaviours, e.g. `x:tokens=200,everyMs=10`.
import { startProviderServer } from './server.ts'

const server = await startProviderServer({ port: Number(process.argv[2] ?? 0) })
process.stdout.write(`${server.url}\n`)
process.stdin.resume().on('end', () => server.close().then(() => process.exit(0)))
