import { afterAll, beforeAll, test } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import { fillSchool } from './rows.ts'
import { openSchool, type School } from './school.ts'
let database: Database
let school: School
beforeAll(async () => {
  database = await openTestDatabase()
  await fillSchool(database)
  school = openSchool(database)
})
afterAll(() => database?.close())
test('x', async () => {
  console.log(school.subgraph.sdl.slice(0, 6000))
  console.log(JSON.stringify(await school.ask('{ learners(first: 2, where: {name: {contains: "NAME"}}) { totalCount pageInfo { hasNextPage endCursor startCursor hasPreviousPage } edges { cursor } nodes { id name country progress(first: 20) { totalCount nodes { state dueAt lastScore attempts objective { title presentation { course { code } } } } } } } }'), null, 1))
})
