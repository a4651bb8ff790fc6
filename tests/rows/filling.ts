// A process of its own, for kill.test.ts to end half-way: filling.ts <url or folder> school | filling.ts <url or folder> oulad <tables>
import { openDatabase } from '../../platform/database.ts'
import { createLog } from '../../platform/log.ts'
import { migrate } from '../../platform/migrate.ts'
import { importOulad } from '../../prisma/learning/import/oulad/oulad.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'

const [where, what, tables] = process.argv.slice(2)
const log = createLog('silent')
const database = await openDatabase({ ...(where!.startsWith('postgres') ? { url: where } : { dataDir: where }), log })
await migrate(database, log)

const onProgress = ({ done, total }: { done: number; total: number }) => {
  if (done > total / 2 && done < total) process.stdout.write('half\n')
}
if (what === 'school')
  await seedSchool(database, { seed: 7, learners: 400, now: new Date('2026-11-20T00:00Z'), onProgress })
else await importOulad(database, tables!, { onProgress })
process.stdout.write('done\n')
await database.close()
