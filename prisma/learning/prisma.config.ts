import { defineConfig } from 'prisma/config'

export default defineConfig({
  schema: '.',
  migrations: { path: 'migrations' },
  datasource: { url: connectionUrl('learning') },
})

/** Prisma keeps its bookkeeping in the schema that the URL names, so that the two schemas of one database stay apart. */
function connectionUrl(schema: string): string {
  const url = new URL(process.env.DATABASE_URL ?? 'postgres://localhost:5432/inkling')
  url.searchParams.set('schema', schema)
  return url.href
}
