import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { buildSchema, parse } from 'graphql'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { missing } from '../tenants/keys.ts'
import { type Door, HOME, MARKER, openTenantStand, type TenantStand, tokenOf } from '../tenants/stand.ts'
import { createChoices } from './choices.ts'
import { faultsOf } from './conformance.ts'
import { generateOperation } from './operations.ts'

/** How long to look, in seconds: FUZZ_SECONDS=600 npx vitest run tests/fuzz. A failure prints its seed; FUZZ_SEED repeats it. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 12)
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

const sdl = readFileSync(new URL('../../schema/sdl/client.graphql', import.meta.url), 'utf8')
const schema = buildSchema(sdl)

/** What changes from one moment to the next, or takes time on purpose: no two answers would be equal. */
const without = new Set([
  'ModelVersion.coverage',
  'Job.heartbeatAt',
  'Job.progress',
  'Query.nextRuns',
  'Schedule.nextRuns',
  ...['churn', 'churnScore', 'churnUnavailable', 'struggle', 'struggleProbability', 'struggleUnavailable']
    .concat(['withdrawal', 'withdrawalProbability', 'withdrawalUnavailable'])
    .map((field) => `${field}(within)`),
  ...['learnersByChurn', 'progressByStruggle', 'enrollmentsByWithdrawal'].map(
    (field) => `${field}(rescoreIfOlderThanSeconds)`,
  ),
])

/** Roots whose answers stay the same from one asking to the next; logs, statistics and what is measured as time goes by do not. */
const steady = new Set(
  ['learner', 'learners', 'course', 'courses', 'presentation', 'enrollment', 'enrollments', 'objective', 'progress']
    .concat(['learnersByChurn', 'progressByStruggle', 'enrollmentsByWithdrawal', 'scoreInput', 'disagreement'])
    .concat(['job', 'jobs', 'schedule', 'schedules', 'trainingRun', 'trainingRuns']),
)

function isSteady(query: string): boolean {
  const operation = parse(query).definitions.find((node) => node.kind === 'OperationDefinition')
  return operation!.selectionSet.selections.every((root) => root.kind === 'Field' && steady.has(root.name.value))
}

const viewers = {
  anonymous: tokenOf('nobody'),
  reader: tokenOf('default', 'learning:read', 'predictions:read', 'jobs:read', 'models:read'),
  administrator: tokenOf('default', 'admin'),
  stranger: tokenOf('other', 'admin'),
}
type Who = keyof typeof viewers

let stand: TenantStand
let local: Door
let http: Door
beforeAll(async () => {
  stand = await openTenantStand()
  local = await stand.open('local')
  http = await stand.open('http')
}, 400_000)
afterAll(async () => {
  await local?.close()
  await http?.close()
  await stand?.close()
})

const numbers = fc.array(fc.nat(0xffff), { minLength: 5, maxLength: 90 })
const keys = () => [stand.things.default, stand.things.other, missing].flatMap((things) => Object.values(things))

function isIn(text: string, foreign: string): boolean {
  // Keys that were sent may come back in a message or as a key; everything else of the other tenant's may not.
  return keys()
    .reduce((rest, key) => rest.replaceAll(key, ''), text)
    .includes(foreign)
}

it(
  `answers what it should for ${SECONDS} seconds of operations, whoever asks and however it is served`,
  async () => {
    console.log(`fuzz: seed ${SEED}`)
    const tally = { operations: 0, answered: 0, compared: 0 }
    const property = fc.asyncProperty(
      numbers,
      fc.constantFrom(...(Object.keys(viewers) as Who[])),
      fc.integer({ min: 0, max: 9 }),
      async (drawn, who, kind) => {
        const operation = kind === 0 && (who === 'anonymous' || who === 'reader') ? 'mutation' : 'query'
        const asked = generateOperation({ schema, operation, choices: createChoices(drawn), keys: keys(), without })
        tally.operations++
        const answers = await Promise.all(
          [local, http].map((door) => door.ask(viewers[who], asked.query, asked.variables)),
        )
        const [one, other] = answers as [(typeof answers)[0], (typeof answers)[0]]
        const context = JSON.stringify({ who, ...asked })
        for (const { status, text } of answers) {
          expect(status, context).toBeLessThan(500)
          expect(text, context).not.toContain('"INTERNAL')
          if (who !== 'stranger') expect(isIn(text, MARKER) || isIn(text, 'other-'), context + text).toBe(false)
          if (who === 'stranger' || who === 'anonymous') expect(isIn(text, HOME), context + text).toBe(false)
        }
        if (operation === 'mutation') {
          // What @skip leaves out answers {}; nothing that ran may have answered.
          expect(
            Object.values(one.json.data ?? {}).filter((value) => value !== null),
            context,
          ).toEqual([])
          return
        }
        const isComparable = isSteady(asked.query)
        if (isComparable) expect(plain(one.json), context).toEqual(plain(other.json))
        if (!('data' in one.json)) return
        tally.answered++
        expect(faultsOf(schema, asked.query, one.json.data), context).toEqual([])
        if (isComparable) tally.compared++
      },
    )
    await fc.assert(property, {
      seed: SEED,
      numRuns: 1_000_000,
      interruptAfterTimeLimit: SECONDS * 1000,
      endOnFailure: false,
    })
    console.log(`fuzz: ${JSON.stringify(tally)}`)
    expect(tally.compared).toBeGreaterThan(10)
  },
  (SECONDS * 3 + 120) * 1000,
)

/** Data, and of errors what was wrong: where equal ones were found first depends on who was quicker. */
function plain({ data, errors }: { data?: unknown; errors?: { message: string; extensions: { code: string } }[] }) {
  const said = (errors ?? []).map(({ message, extensions }) =>
    extensions.code === 'UNAVAILABLE' ? extensions.code : `${extensions.code} ${message}`.replace(/request [\w-]+/, ''),
  )
  return { data, errors: said.length < 5 ? [...new Set(said)].sort() : 'many' }
}
