// Run in a process of its own, without the optimising compiler: creating a folder runs each piece of PostgreSQL once, and
// optimising what runs once costs seconds and half a gigabyte, which a thread would leave behind in the server.
import { PGlite } from '@electric-sql/pglite'

const database = await PGlite.create({ dataDir: process.argv[2]! })
await database.close()
