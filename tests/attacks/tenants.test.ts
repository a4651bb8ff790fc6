import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { signedHeaders } from '../../gateway/signature.ts'
import { acts, lookups, missing, withoutKeys } from '../tenants/keys.ts'
import { type Door, MARKER, openTenantStand, post, secret, type TenantStand, tokenOf } from '../tenants/stand.ts'

const own = tokenOf('default', 'admin')
const foreign = tokenOf('other', 'admin')
let stand: TenantStand
const doors = {} as Record<'local' | 'http', Door>

beforeAll(async () => {
  stand = await openTenantStand()
  doors.local = await stand.open('local')
  doors.http = await stand.open('http')
}, 240_000)

afterAll(async () => {
  for (const door of Object.values(doors)) await door.close()
  await stand?.close()
})

/** Asks a subgraph by itself, as the gateway does: with its signature, and with the client's token. */
async function askSubgraph(name: string, token: string, query: string, variables: object) {
  const body = JSON.stringify({ query, variables })
  const request = { requestId: 'attack', now: stand.ground.clock.now(), instant: new Date() }
  return post(doors.http.urls[name]!, body, signedHeaders(request, token, body, secret))
}

const ENTITIES = `query($r: [_Any!]!) { _entities(representations: $r) { __typename
  ... on Learner { name } ... on Course { title } ... on Presentation { code } ... on Objective { title }
  ... on Enrollment { registeredAt } ... on Progress { state } } }`

const entitiesOf = (of: typeof missing) => [
  { __typename: 'Learner', id: of.learnerId },
  { __typename: 'Course', id: of.courseId },
  { __typename: 'Presentation', id: of.presentationId },
  { __typename: 'Objective', id: of.objectiveId },
  { __typename: 'Enrollment', id: of.enrollmentId },
  { __typename: 'Progress', learnerId: of.learnerId, objectiveId: of.objectiveId },
]

describe('row 31: a subgraph called directly', () => {
  const names = ['learning', 'ml', 'jobs']

  it('answers 401 without the signature of the gateway, whatever is asked', async () => {
    for (const name of names)
      for (const query of ['{ _service { sdl } }', '{ __typename }', '{ __schema { types { name } } }']) {
        const answer = await post(doors.http.urls[name]!, JSON.stringify({ query }), { authorization: own })
        expect([name, query, answer.status]).toEqual([name, query, 401])
      }
  })

  it('answers 401 to a signature older than a minute, and to another body or token than was signed', async () => {
    const body = JSON.stringify({ query: '{ __typename }' })
    const request = { requestId: 'attack', now: new Date(), instant: new Date() }
    const sign = (text = body) => signedHeaders(request, own, text, secret)
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 61_000 })
    const old = sign()
    vi.useRealTimers()
    const { learning: url } = doors.http.urls
    expect((await post(url!, body, sign())).status).toBe(200)
    expect((await post(url!, body, old)).status).toBe(401)
    expect((await post(url!, body.replace('__typename', '_service { sdl }'), sign())).status).toBe(401)
    expect((await post(url!, body, { ...sign(), authorization: foreign })).status).toBe(401)
  })

  it('takes who asks from the token alone, whatever other headers say', async () => {
    const body = JSON.stringify({ query: ENTITIES, variables: { r: entitiesOf(stand.things.other) } })
    const request = { requestId: 'attack', now: stand.ground.clock.now(), instant: new Date() }
    const forged = { 'x-user': 'admin', 'x-tenant': 'other', 'x-inkling-tenant': 'other', 'x-forwarded-user': 'other' }
    const answer = await post(doors.http.urls.learning!, body, {
      ...signedHeaders(request, own, body, secret),
      ...forged,
    })
    expect(answer.json.data._entities).toEqual([null, null, null, null, null, null])
  })
})

describe("row 32: another tenant's things", () => {
  it('are there, for the tenant itself', async () => {
    for (const [what, query] of Object.entries(lookups)) {
      const { json, text } = await doors.local.ask(foreign, query, stand.things.other)
      expect([what, json.errors]).toEqual([what, undefined])
      expect([what, Object.values(json.data as object).every((value) => value !== null)]).toEqual([what, true])
      if (what.startsWith('a learner')) expect(text).toContain(MARKER)
    }
    const { json } = await doors.local.ask(foreign, lookups['a progress']!, stand.things.other)
    expect(json.data.progress.struggle.probability).toBeGreaterThan(0)
  })

  for (const transport of ['local', 'http'] as const)
    it(`are answered like things that do not exist, by as many statements (${transport})`, async () => {
      const door = doors[transport]
      for (const [what, query] of Object.entries({ ...lookups, ...acts })) {
        const answerOf = async (things: typeof missing) => {
          stand.statements.count = 0
          const { status, text } = await door.ask(own, query, things)
          const { count } = stand.statements
          return { status, count, text: withoutKeys(text, things).replace(/"requestId":"[^"]*"/g, ''), what }
        }
        const other = await answerOf(stand.things.other)
        const none = await answerOf(missing)
        expect(other).toEqual(none)
        expect(other.text).not.toContain(MARKER)
        expect(other.text).not.toContain('"code":"INTERNAL"')
      }
    })

  it('are not given out by `_entities` of any subgraph, nor by predictions about them', async () => {
    const ask = (of: typeof missing) => askSubgraph('learning', own, ENTITIES, { r: entitiesOf(of) })
    expect((await ask(stand.things.other)).json.data._entities).toEqual(Array(6).fill(null))
    expect((await ask(stand.things.default)).json.data._entities.every(Boolean)).toBe(true)

    const jobs = await askSubgraph(
      'jobs',
      own,
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Job { kind } } }',
      {
        r: [{ __typename: 'Job', id: stand.things.other.jobId }],
      },
    )
    expect(jobs.json.data._entities).toEqual([null])

    const PREDICTIONS = `query($r: [_Any!]!) { _entities(representations: $r) {
      ... on Learner { churn { probability } stored: churn(asServed: true) { probability trend { slopePerDay } } churnScore
        late: churn(within: { ms: 5000, otherwise: STORED }) { probability } churnUnavailable { code message }
        predictions(model: "churn", versions: [CHAMPION, 1]) { prediction { probability } unavailable { code } } }
      ... on Progress { struggle { probability reasons { feature } } stored: struggle(asServed: true) { probability } } } }`
    const predictions = (of: typeof missing, token: string) =>
      askSubgraph('ml', token, PREDICTIONS, { r: [entitiesOf(of)[0], entitiesOf(of)[5]] })
    const found = await predictions(stand.things.other, foreign)
    expect(found.text).toContain('"probability":0.')
    const refused = await predictions(stand.things.other, own)
    const none = await predictions(missing, own)
    expect(withoutKeys(refused.text, stand.things.other)).toBe(withoutKeys(none.text, missing))
    expect(refused.text).not.toContain('"probability":0.')
  })

  it('are in no list, in no count and in no comparison', async () => {
    const QUERY = `query { learners(first: 100) { totalCount nodes { id name } } courses(first: 100) { totalCount nodes { id title } }
      enrollments(first: 100) { totalCount nodes { id } } learnersByChurn(first: 100) { totalCount riskLevels { count } nodes { id } }
      progressByStruggle(first: 100) { totalCount nodes { learnerId objectiveId } } jobs(first: 100) { totalCount nodes { id startedBy } }
      schedules(first: 100) { totalCount nodes { name } }
      disagreement(model: "churn", versions: [CHAMPION, 1]) { compared disputes { entity { ... on Learner { id } } } } }`
    const sizes = async (token: string) => {
      const { json, text } = await doors.local.ask(token, QUERY)
      expect(json.errors).toBeUndefined()
      const { data } = json
      return {
        text,
        counts: [data.learners, data.courses, data.enrollments, data.learnersByChurn, data.progressByStruggle]
          .map(({ totalCount }) => totalCount)
          .concat(data.disagreement.compared),
        levels: data.learnersByChurn.riskLevels.reduce((sum: number, { count }: { count: number }) => sum + count, 0),
      }
    }
    const [mine, theirs, nobodys] = [await sizes(own), await sizes(foreign), await sizes(tokenOf('third', 'admin'))]
    expect(mine.text).not.toMatch(/MARKER|other/)
    expect(theirs.text).toContain(MARKER)
    expect(theirs.text).not.toMatch(/"(id|learnerId)":"L\d/)
    expect(nobodys.counts).toEqual([0, 0, 0, 0, 0, 0])
    const { rows } = await stand.database.query<{ learners: number; scores: number; all: number }>(
      `SELECT (SELECT count(*)::int FROM learning."Learner" WHERE tenant = 'default') AS learners,
              (SELECT count(*)::int FROM inkling."Score" WHERE model = 'churn' AND key NOT LIKE '%other%') AS scores,
              (SELECT count(*)::int FROM inkling."Score" WHERE model = 'churn') AS "all"`,
    )
    expect([mine.counts[0], mine.counts[3], mine.levels]).toEqual([rows[0]!.learners, rows[0]!.scores, rows[0]!.scores])
    expect(mine.counts[3] + theirs.counts[3]).toBe(rows[0]!.all)
  })

  it('cannot be subscribed to: not one event of theirs arrives', async () => {
    for (const door of Object.values(doors)) {
      const events = async (jobId: string, token = own) =>
        (
          await eventsOf(
            door.url,
            token,
            'subscription($jobId: ID!) { jobEvents(jobId: $jobId) { __typename sequence ... on JobEventsRefused { code message } } }',
            { jobId },
          )
        ).replaceAll(jobId, '<job>')
      expect(await events(stand.things.other.jobId)).toBe(await events(missing.jobId))
      expect(await events(stand.things.other.jobId)).toContain('JOB_UNKNOWN')
      expect(await events(stand.things.other.jobId, foreign)).toContain('JobSucceeded')
    }
  })

  it('are not mixed up by what requests share: each gets its own, asked all at once', async () => {
    const QUERY = `query($a: ID!, $b: ID!) { a: learner(id: $a) { id churn { probability } } b: learner(id: $b) { id churn { probability } }
      learners(first: 5) { nodes { id churn { probability } } } }`
    const variables = { a: stand.things.default.learnerId, b: stand.things.other.learnerId }
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, index) => doors.local.ask(index % 2 ? own : foreign, QUERY, variables)),
    )
    for (const [index, { json }] of answers.entries()) {
      expect(json.errors).toBeUndefined()
      const [mine, theirs] = index % 2 ? [json.data.a, json.data.b] : [json.data.b, json.data.a]
      expect(theirs).toBeNull()
      expect(mine.churn.probability).toBeGreaterThan(0)
      expect(
        json.data.learners.nodes.every(({ id }: { id: string }) => id.startsWith('other-') === (index % 2 === 0)),
      ).toBe(true)
      expect(json).toEqual(answers[index % 2]!.json)
    }
  })
})

describe('row 33: scopes below the root', () => {
  const LEARNER = `query($learnerId: ID!) { learner(id: $learnerId) { name churnScore churn {
    probability riskLevel reasons(first: 1) { feature value } whatIf(goal: LOWER, to: 0.1) { newProbability }
    quality { missing interval { low } } modelVersion { number metrics { name } } } } }`
  const codes = (answer: { json: { errors?: { path: string[]; extensions: { code: string; count?: number } }[] } }) =>
    (answer.json.errors ?? []).map(({ path, extensions }) => `${extensions.code} ${path.join('.')}`)

  for (const transport of ['local', 'http'] as const)
    it(`show the level to many and reasons to few: null and an error at the path, the rest stays (${transport})`, async () => {
      const ask = (...scopes: string[]) =>
        doors[transport].ask(tokenOf('default', ...scopes), LEARNER, stand.things.default)
      const rows = await ask('learning:read')
      expect(rows.json.data.learner).toMatchObject({ name: expect.any(String), churnScore: null, churn: null })
      expect(codes(rows)[0]).toMatch(/^FORBIDDEN learner\.churn/)

      const level = await ask('learning:read', 'predictions:read')
      const { churn } = level.json.data.learner
      expect(churn).toMatchObject({ reasons: null, whatIf: null, modelVersion: null, quality: { missing: null } })
      expect(['LOW', 'MEDIUM', 'HIGH']).toContain(churn.riskLevel)
      expect(churn.probability).toBe(Math.round(churn.probability * 1000) / 1000)
      expect(codes(level).every((code) => code.startsWith('FORBIDDEN learner.churn.'))).toBe(true)

      const all = await ask('learning:read', 'predictions:read', 'predictions:explain', 'models:read')
      expect(all.json.errors).toBeUndefined()
      expect(all.json.data.learner.churn.reasons).toHaveLength(1)
      expect(Math.abs(all.json.data.learner.churn.probability - churn.probability)).toBeLessThanOrEqual(0.0005)
      expect(all.json.data.learner.churn.probability).not.toBe(churn.probability)
    })

  it('fold what a page of rows is refused: one error with a count', async () => {
    const { json } = await doors.local.ask(
      tokenOf('default', 'learning:read'),
      '{ learners(first: 30) { nodes { name churnScore } } }',
    )
    expect(json.data.learners.nodes).toHaveLength(30)
    expect(json.errors).toMatchObject([{ extensions: { code: 'FORBIDDEN', count: 30 } }])
  })

  it('keep names from those who may see scores only, also by way of stored scores', async () => {
    const { json, text } = await doors.local.ask(
      tokenOf('default', 'predictions:read'),
      '{ learnersByChurn(first: 3) { edges { score node { id name } } } }',
    )
    const { name } = (
      await stand.database.query<{ name: string }>('SELECT name FROM learning."Learner" WHERE id = $1', [
        stand.things.default.learnerId,
      ])
    ).rows[0]!
    expect(json.errors[0].extensions.code).toBe('FORBIDDEN')
    expect(text).not.toContain(name)
  })

  it('refuse what starts a training to who may write jobs alone: by schedule, trigger and retry', async () => {
    const writer = tokenOf('default', 'jobs:read', 'jobs:write')
    const CREATE = `mutation($kind: String!) { createSchedule(input: { name: "by a writer", kind: $kind, input: "{\\"model\\":\\"churn\\"}", expression: "0 3 * * *" }) {
      __typename } }`
    for (const kind of ['train', 'score'])
      expect(codes(await doors.local.ask(writer, CREATE, { kind }))).toEqual(['FORBIDDEN createSchedule'])
    const { scheduleId, jobId } = stand.things.default
    for (const name of ['triggerSchedule', 'resumeSchedule'])
      expect(codes(await doors.local.ask(writer, acts[name]!, { scheduleId }))).toEqual([`FORBIDDEN ${name}`])
    expect(codes(await doors.local.ask(writer, acts.retryJob!, { jobId }))).toEqual(['FORBIDDEN retryJob'])
    expect(codes(await doors.local.ask(writer, 'mutation { redriveJobs(input: {}) { __typename } }'))).toEqual([
      'FORBIDDEN redriveJobs',
    ])
  })
})

describe.each(['local', 'http'] as const)('what is no input over the %s transport', (transport) => {
  const codeOf = async (query: string, variables: object = {}) => {
    const { status, json } = await doors[transport].ask(own, query, variables)
    expect(status).toBeLessThan(500)
    return json.errors?.[0].extensions.code ?? json.data
  }
  const refusal = expect.stringMatching(/^(BAD_USER_INPUT|GRAPHQL_VALIDATION_FAILED)$/)
  const asOf = (moment: string) => `{ learners(first: 1) { nodes { churn(asOf: "${moment}") { probability } } } }`

  it.each([
    ['row 3: first and last together', '{ learners(first: 1, last: 1) { totalCount } }'],
    ['row 3: a page of 100,000', '{ learners(first: 100000) { totalCount } }'],
    ['row 3: a negative page', '{ learners(first: -1) { totalCount } }'],
    ['row 16: NUL in a key', '{ learner(id: "a\\u0000b") { id } }'],
    ['row 19: an operator in place of an id', '{ learner(id: { not: "" }) { id } }'],
    ['row 19: SQL as an order', '{ learners(orderBy: "name; DROP TABLE") { totalCount } }'],
    ['row 19: SQL in a cursor', `{ learners(after: "' OR 1=1 --") { totalCount } }`],
    ['row 20: a number beyond Int', '{ learners(first: 2147483648) { totalCount } }'],
    [
      'row 20: an infinite number',
      '{ learners(first: 1) { nodes { churn { whatIf(goal: LOWER, to: 1e400) { newProbability } } } } }',
    ],
    ['row 20: the year 275760', asOf('+275760-09-13T00:00:00Z')],
    ['row 20: a day that is none', asOf('2026-02-31')],
    ['row 20: a time zone that is none', asOf('2026-02-01T00:00:00+99:99')],
  ])('refuses %s', async (_row, query) => {
    expect(await codeOf(query)).toEqual(refusal)
  })

  it('row 19: an operator in a variable reaches no database', async () => {
    const variables = { id: { not: '' } }
    expect(await codeOf('query($id: ID!) { learner(id: $id) { id } }', variables)).toBe('BAD_USER_INPUT')
  })

  it('row 17: names of a prototype are the names of nothing', async () => {
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      expect(await codeOf(`{ model(name: "${name}") { name } learner(id: "${name}") { id } }`)).toEqual({
        model: null,
        learner: null,
      })
      const train = `mutation { trainModel(input: { model: "${name}" }) { ... on Error { code } } }`
      expect(await codeOf(train)).toEqual({ trainModel: { code: 'MODEL_UNKNOWN' } })
      const schedule = `mutation($input: String!) { createSchedule(input: { name: "x", kind: "train", input: $input, expression: "0 3 * * *" }) { __typename } }`
      const input = `{"model":"churn","${name}":{"polluted":1}}`
      const { createSchedule } = (await codeOf(schedule, { input })) as Record<string, { __typename: string }>
      expect(createSchedule!.__typename).toMatch(/Error$|Payload$/)
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})

describe('the database', () => {
  const insert = (sql: string) => stand.database.query(sql)
  it('connects no two tenants', async () => {
    const { learnerId, enrollmentId, objectiveId } = stand.things.default
    const other = stand.things.other
    const refused = { code: '23514' }
    await expect(
      insert(
        `INSERT INTO learning."Enrollment" (id, "learnerId", "presentationId") VALUES ('x', '${learnerId}', '${other.presentationId}')`,
      ),
    ).rejects.toMatchObject(refused)
    await expect(
      insert(`INSERT INTO learning."Attempt" (id, "learnerId", "objectiveId", "enrollmentId", "submittedAt")
              VALUES ('x', '${learnerId}', '${other.objectiveId}', '${enrollmentId}', now())`),
    ).rejects.toMatchObject(refused)
    await expect(
      insert(
        `INSERT INTO learning."Review" (id, "learnerId", "objectiveId", "reviewedAt", rating) VALUES ('x', '${learnerId}', '${other.objectiveId}', now(), 1)`,
      ),
    ).rejects.toMatchObject(refused)
    await expect(
      insert(
        `INSERT INTO learning."Prerequisite" ("objectiveId", "requiresId") VALUES ('${objectiveId}', '${other.objectiveId}')`,
      ),
    ).rejects.toMatchObject(refused)
    await expect(
      insert(`UPDATE learning."Learner" SET tenant = 'third' WHERE id = '${learnerId}'`),
    ).rejects.toMatchObject(refused)
    await expect(
      insert(
        `UPDATE learning."Presentation" SET "courseId" = '${other.courseId}' WHERE id = '${stand.things.default.presentationId}'`,
      ),
    ).rejects.toMatchObject(refused)
  })
})

/** What an event stream says until it ends, or the first event of one that does not. */
async function eventsOf(url: string, token: string, query: string, variables: object): Promise<string> {
  const stop = new AbortController()
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: token },
    body: JSON.stringify({ query, variables }),
    signal: stop.signal,
  })
  let text = ''
  const decoder = new TextDecoder()
  for await (const bytes of response.body!) {
    text += decoder.decode(bytes as Uint8Array)
    if (/event: complete/.test(text)) break
  }
  stop.abort()
  return text
}
