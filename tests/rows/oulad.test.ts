import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createClock } from '../../platform/clock.ts'
import type { Database } from '../../platform/database.ts'
import { importOulad } from '../../prisma/learning/import/oulad/oulad.ts'
import { clearRows, readOrigin } from '../../prisma/learning/rows/origin.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { openTestDatabase } from '../harness.ts'
import { replaceLine, type SampleFile, writeSample } from './sample.ts'

let database: Database
let folder: string
beforeAll(async () => {
  database = await openTestDatabase()
})
afterAll(() => database.close())
beforeEach(async () => {
  const clock = await createClock(database, { INKLING_NOW: undefined })
  await database.transaction(async () => {
    await clearRows(database)
    await clock.set(null, 'test')
  })
  folder = mkdtempSync(join(tmpdir(), 'inkling-oulad-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const all = async <Row>(sql: string) => (await database.query<Row>(sql)).rows

describe('an import', () => {
  it('turns day numbers into dates and leaves empty what is not known', async () => {
    writeSample(folder)
    const imported = await importOulad(database, folder)
    expect(imported.rows).toMatchObject({
      Learner: { inserted: 3 },
      Enrollment: { inserted: 4 },
      Attempt: { inserted: 4 },
    })
    expect(imported.withdrawn).toBe(1)

    expect(await all('SELECT * FROM "learning"."Presentation" ORDER BY "id"')).toEqual([
      {
        id: 'AAA-2013J',
        courseId: 'AAA',
        code: '2013J',
        startsAt: new Date('2013-10-01T00:00Z'),
        endsAt: new Date('2014-06-26T00:00Z'),
      },
      {
        id: 'AAA-2014J',
        courseId: 'AAA',
        code: '2014J',
        startsAt: new Date('2014-10-01T00:00Z'),
        endsAt: new Date('2015-06-27T00:00Z'),
      },
    ])
    expect(
      await all(
        'SELECT "id", "title", "type", "weight", "position", "dueAt" FROM "learning"."Objective" ORDER BY "id"',
      ),
    ).toEqual([
      {
        id: '1752',
        title: 'TMA 1',
        type: 'ASSIGNMENT',
        weight: 10,
        position: 1,
        dueAt: new Date('2013-10-20T23:59:59Z'),
      },
      {
        id: '1753',
        title: 'CMA 1',
        type: 'COMPUTER_MARKED',
        weight: 20,
        position: 2,
        dueAt: new Date('2013-11-24T23:59:59Z'),
      },
      { id: '1757', title: 'Exam', type: 'EXAM', weight: 100, position: 3, dueAt: new Date('2014-06-25T23:59:59Z') },
      {
        id: '1758',
        title: 'TMA 1',
        type: 'ASSIGNMENT',
        weight: 10,
        position: 1,
        dueAt: new Date('2014-10-20T23:59:59Z'),
      },
    ])
    expect(
      await all(
        'SELECT "id", "score", "submittedAt", "isBanked", "enrollmentId" FROM "learning"."Attempt" ORDER BY "id"',
      ),
    ).toEqual([
      {
        id: '1752-11391',
        score: 78,
        submittedAt: new Date('2013-10-19T12:00Z'),
        isBanked: false,
        enrollmentId: 'AAA-2013J-11391',
      },
      {
        id: '1752-28400',
        score: 60.5,
        submittedAt: new Date('2013-09-30T12:00Z'),
        isBanked: true,
        enrollmentId: 'AAA-2013J-28400',
      },
      {
        id: '1753-11391',
        score: null,
        submittedAt: new Date('2013-11-26T12:00Z'),
        isBanked: false,
        enrollmentId: 'AAA-2013J-11391',
      },
      {
        id: '1758-30268',
        score: 100,
        submittedAt: new Date('2014-10-23T12:00Z'),
        isBanked: false,
        enrollmentId: 'AAA-2014J-30268',
      },
    ])
    expect(
      await all('SELECT * FROM "learning"."Enrollment" WHERE "presentationId" = \'AAA-2013J\' ORDER BY "id"'),
    ).toEqual([
      {
        id: 'AAA-2013J-11391',
        learnerId: '11391',
        presentationId: 'AAA-2013J',
        registeredAt: new Date('2013-04-25T12:00Z'),
        withdrawnAt: null,
        finalResult: 'Fail',
        education: 'A Level or Equivalent',
        ageBand: '0-35',
        deprivationBand: '90-100%',
        hasDisability: false,
        previousAttempts: 0,
        studiedCredits: 240,
        clicksBeforeStart: 98,
      },
      {
        id: 'AAA-2013J-28400',
        learnerId: '28400',
        presentationId: 'AAA-2013J',
        registeredAt: new Date('2013-08-09T12:00Z'),
        withdrawnAt: new Date('2013-10-13T12:00Z'),
        finalResult: 'Withdrawn',
        education: 'HE Qualification',
        ageBand: '35-55',
        deprivationBand: null,
        hasDisability: true,
        previousAttempts: 0,
        studiedCredits: 60,
        clicksBeforeStart: null,
      },
    ])
    for (const table of ['Subscription', 'Payment', 'Review', 'Activity'])
      expect(await all(`SELECT * FROM "learning"."${table}"`)).toEqual([])
  })

  it('describes a learner as the latest presentation does, joined when they first registered', async () => {
    writeSample(folder)
    await importOulad(database, folder)
    expect(await all('SELECT * FROM "learning"."Learner" ORDER BY "id"')).toEqual([
      {
        id: '11391',
        name: 'Student 11391',
        gender: 'M',
        country: null,
        tenant: 'default',
        region: 'Wales',
        joinedAt: new Date('2013-04-25T12:00Z'),
      },
      {
        id: '28400',
        name: 'Student 28400',
        gender: 'F',
        country: null,
        tenant: 'default',
        region: 'Ireland',
        joinedAt: new Date('2013-08-09T12:00Z'),
      },
      {
        id: '30268',
        name: 'Student 30268',
        gender: 'F',
        country: null,
        tenant: 'default',
        region: 'East Anglian Region, North',
        joinedAt: new Date('2014-10-01T00:00Z'),
      },
    ])
  })

  it('stops the clock of the data at the end of its last day, or where it is told', async () => {
    writeSample(folder)
    await importOulad(database, folder)
    const clock = await createClock(database, { INKLING_NOW: undefined })
    expect(clock.now()).toEqual(new Date('2014-10-23T23:59:59.999Z'))
    await importOulad(database, folder, { now: new Date('2014-01-01T00:00Z') })
    await clock.refresh()
    expect(clock.now()).toEqual(new Date('2014-01-01T00:00Z'))
  })

  it('changes nothing the second time, and only what changed the third', async () => {
    writeSample(folder)
    await importOulad(database, folder)
    const rows = 'SELECT xmin::text, kept.* FROM "learning"."Attempt" kept ORDER BY "id"'
    const before = await all(rows)
    const again = await importOulad(database, folder)
    expect(again.rows.Attempt).toEqual({ inserted: 0, updated: 0, unchanged: 4 })
    expect(await all(rows)).toEqual(before)

    writeSample(folder, { 'studentAssessment.csv': replaceLine(2, '1752,11391,18,"false",79') })
    const third = await importOulad(database, folder)
    expect(third.rows.Attempt).toEqual({ inserted: 0, updated: 1, unchanged: 3 })
  })

  it('works without the table of clicks', async () => {
    writeSample(folder, { 'vle_pre_course_clicks.csv': () => null })
    await importOulad(database, folder)
    expect(await all('SELECT FROM "learning"."Enrollment" WHERE "clicksBeforeStart" IS NOT NULL')).toEqual([])
  })

  it('reads files with a byte order mark, carriage returns and columns in another order', async () => {
    writeSample(folder, {
      'courses.csv': () => [
        '\ufeffmodule_presentation_length,code_presentation,code_module\r',
        '268,2013J,AAA\r',
        '269,2014J,AAA\r',
      ],
    })
    expect((await importOulad(database, folder)).rows.Presentation?.inserted).toBe(2)
  })

  it('takes the place of a simulated school, and of nothing else', async () => {
    writeSample(folder)
    await seedSchool(database, { seed: 1, learners: 50, now: new Date('2026-11-20T00:00Z') })
    const imported = await importOulad(database, folder)
    expect(imported.replaced).toMatchObject({ source: 'simulated', seed: 1 })
    expect(await all('SELECT FROM "learning"."Learner"')).toHaveLength(3)

    await database.transaction(() => clearRows(database))
    await database.query(`INSERT INTO "learning"."Learner" ("id", "name", "joinedAt") VALUES ('mine', 'Mine', now())`)
    await expect(importOulad(database, folder)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
  })

  it('reports progress over the bytes of all files', async () => {
    writeSample(folder)
    const shares: number[] = []
    await importOulad(database, folder, { onProgress: ({ done, total }) => shares.push(done / total) })
    expect(shares.at(-1)).toBe(1)
  })
})

describe('a bad file', () => {
  const faults: [SampleFile, (lines: string[]) => string[], string][] = [
    [
      'studentAssessment.csv',
      replaceLine(3, '1753,11391,56,"false",101'),
      'studentAssessment.csv, line 3, column score: "101" is not a number from 0 to 100.',
    ],
    [
      'studentAssessment.csv',
      replaceLine(2, '1752,11391,soon,"false",78'),
      'studentAssessment.csv, line 2, column date_submitted: "soon" is not a whole number',
    ],
    ['studentAssessment.csv', replaceLine(2, '1752,11391,18,"false",NaN'), 'line 2, column score: "NaN"'],
    [
      'studentAssessment.csv',
      replaceLine(4, '9999,28400,-1,"true",60'),
      'line 4, column id_assessment: "9999" is not an assessment of assessments.csv',
    ],
    [
      'studentAssessment.csv',
      replaceLine(4, '1752,30268,-1,"true",60'),
      'line 4, column id_student: "30268" is not a student of AAA-2013J',
    ],
    [
      'studentAssessment.csv',
      replaceLine(4, '1752,11391,-1,"true",60'),
      'line 4, column id_student: "11391" is not new',
    ],
    ['studentAssessment.csv', replaceLine(5, '1758,30268,22'), 'studentAssessment.csv, line 5: 3 columns, expected 5.'],
    ['studentAssessment.csv', (lines) => [...lines, '1758,"30268,22'], 'studentAssessment.csv, line'],
    [
      'courses.csv',
      replaceLine(3, '"AAA","2015J",269'),
      'courses.csv, line 3, column code_presentation: "2015J" is not one of 2013B, 2013J',
    ],
    [
      'courses.csv',
      replaceLine(1, '"code_module","code_presentation","length"'),
      'courses.csv, line 1: no column module_presentation_length',
    ],
    ['courses.csv', () => [], 'courses.csv, line 1: the file is empty'],
    [
      'assessments.csv',
      replaceLine(2, '"AAA","2013J",1752,"Quiz",19,10'),
      'assessments.csv, line 2, column assessment_type: "Quiz" is not one of TMA, CMA, Exam',
    ],
    ['assessments.csv', replaceLine(2, '"AAA","2013J",1752,"TMA",,10'), 'line 2, column date: "" is not a day'],
    [
      'studentInfo.csv',
      replaceLine(4, '"AAA","2013J",28400,"F","Ireland","x",,"35-55",-1,60,"true","Withdrawn"'),
      'studentInfo.csv, line 4, column num_of_prev_attempts: "-1"',
    ],
    [
      'studentInfo.csv',
      replaceLine(2, '"BBB","2014J",11391,"M","Wales","x","10-20","35-55",1,60,"false","Pass"'),
      'line 2, column code_presentation: "2014J" is not a presentation of this module',
    ],
    [
      'studentInfo.csv',
      replaceLine(2, '"AAA","2014J",11391,"M","Wa\u0000les","x","10-20","35-55",1,60,"false","Pass"'),
      'line 2, column region',
    ],
    [
      'studentRegistration.csv',
      (lines) => [...lines, '"AAA","2013J",77,-1,'],
      'studentRegistration.csv, line 6, column id_student: "77" is not a student of this presentation in studentInfo.csv',
    ],
  ]
  it.each(faults)('%s is named with line and column, and nothing is kept (%#)', async (file, change, message) => {
    writeSample(folder, { [file]: change })
    await expect(importOulad(database, folder)).rejects.toMatchObject({
      code: 'IMPORT_INVALID',
      message: expect.stringContaining(message),
    })
    expect(await readOrigin(database)).toBeNull()
    expect(await all('SELECT FROM "learning"."Presentation"')).toEqual([])
    expect((await createClock(database, { INKLING_NOW: undefined })).frozenBy).toBeNull()
  })

  it('keeps what an earlier import brought', async () => {
    writeSample(folder)
    await importOulad(database, folder)
    writeSample(folder, { 'studentAssessment.csv': replaceLine(5, '1758,30268,x,"false",100') })
    await expect(importOulad(database, folder)).rejects.toMatchObject({ code: 'IMPORT_INVALID' })
    expect(await all('SELECT FROM "learning"."Attempt"')).toHaveLength(4)
    expect(await readOrigin(database)).toMatchObject({ source: 'oulad' })
  })

  it('that is missing is named together with all others', async () => {
    await expect(importOulad(database, join(folder, 'nowhere'))).rejects.toMatchObject({
      message: expect.stringContaining('There is no folder'),
    })
    writeSample(folder, { 'courses.csv': () => null, 'studentInfo.csv': () => null })
    await expect(importOulad(database, folder)).rejects.toMatchObject({
      code: 'IMPORT_INVALID',
      message: expect.stringContaining('courses.csv, studentInfo.csv'),
    })
  })

  it('that is not text is refused as such', async () => {
    writeSample(folder)
    writeFileSync(join(folder, 'studentInfo.csv'), Buffer.from([0xff, 0xfe, 0x00, 0x41, 0x0a]))
    await expect(importOulad(database, folder)).rejects.toMatchObject({ code: 'IMPORT_INVALID' })
  })
})
