// The database connections of the stand-in schema engine: an ordinary server through @prisma/adapter-pg, with three repairs.
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'

const CHAR_TYPE = 18 // "char", which pg_catalog uses and adapter-pg 7.10 does not know
const BPCHAR_TYPE = 1042

function repair(adapter) {
  const perform = adapter.performIO.bind(adapter)
  adapter.performIO = async (query) => {
    const answer = await perform(query)
    for (const field of answer.fields ?? []) if (field.dataTypeID === CHAR_TYPE) field.dataTypeID = BPCHAR_TYPE
    return answer
  }
  // adapter-pg splits scripts on ";", which breaks function bodies between $$
  adapter.executeScript = async (script) => {
    await adapter.client.query(script).catch((error) => adapter.onError(error))
  }
  return adapter
}

async function connectTo(url) {
  const schema = new URL(url).searchParams.get('schema') ?? 'public'
  const options = `-c search_path="${schema}"`
  const pool = new pg.Pool({ connectionString: url, max: 1, options })
  const adapter = repair(await new PrismaPg(pool, { schema }).connect())
  const dispose = adapter.dispose.bind(adapter)
  adapter.dispose = async () => {
    await dispose()
    await pool.end().catch(() => {})
  }
  return adapter
}

export function adapterFactory(url) {
  const factory = new PrismaPg({ connectionString: url })
  factory.connect = () => connectTo(url)
  // adapter-pg's own shadow database keeps the connection string, and so would replay every migration on the main database
  factory.connectToShadowDb = async () => {
    const name = `prisma_migrate_shadow_db_${crypto.randomUUID()}`
    const main = await connectTo(url)
    await main.executeScript(`CREATE DATABASE "${name}"`)
    const shadowUrl = new URL(url)
    shadowUrl.pathname = `/${name}`
    const shadow = await connectTo(shadowUrl.href)
    const dispose = shadow.dispose.bind(shadow)
    shadow.dispose = async () => {
      await dispose()
      await main.executeScript(`DROP DATABASE "${name}" WITH (FORCE)`)
      await main.dispose()
    }
    return shadow
  }
  return factory
}
