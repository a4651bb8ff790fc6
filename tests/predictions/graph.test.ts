import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { type ServedSubgraph, serveSubgraph } from '../../gateway/serve-subgraph.ts'
import { CHAMPION, MODEL_KIND, type ModelContents } from '../../ml/model-version.ts'
import { createScoreStore } from '../../ml/scores/store.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import { localViewer } from '../../platform/viewer.ts'
import { type AppUnderTest, startApp } from '../app/app-under-test.ts'
import { silent } from '../harness.ts'

const DAY_MS = 86_400_000

describe('predictions worth acting on, through the gateway', () => {
  let under: AppUnderTest
  let payers: string[]
  beforeAll(async () => {
    under = await startApp({ learners: 400, train: false })
    const { registry, models, serving } = under.app
    const { learning: client, clock } = under.ground
    // So few learners do not always pass the gates; what is tested here needs versions, not good ones.
    const train = async (name: string, promote: 'always' | 'never', seed: number, daysAgo: number) => {
      const model = { ...models.find((candidate) => candidate.name === name)!, gates: {} }
      const now = new Date(clock.now().getTime() - daysAgo * DAY_MS)
      const trained = await trainVersion(model, { client, now, seed, candidates: 'quick' })
      return (await registerVersion(registry, trained, { promote, createdBy: 'tests' })).version
    }
    await train('struggle', 'always', 7, 0)
    await train('churn', 'always', 7, 0)
    const { id: versionId } = await train('churn', 'never', 99, 60)
    await registry.move({
      kind: MODEL_KIND,
      name: 'churn',
      alias: 'shadow',
      versionId,
      movedBy: 'tests',
      reason: 'compare',
    })
    await serving.refresh()
    const { learners } = await ask(
      '{ learners(first: 400) { nodes { id churnScore churnUnavailable { code message } } } }',
    )
    payers = learners.nodes.filter((node: Node) => node.churnScore !== null).map(({ id }: Node) => id)
    expect(payers.length, JSON.stringify(learners.nodes[0])).toBeGreaterThan(20)
  })
  afterAll(() => under.close())

  interface Node {
    id: string
    churnScore: number | null
  }
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  type Any = any

  async function full(query: string, variables?: object): Promise<Any> {
    return JSON.parse((await under.send(query, variables)).body)
  }
  async function ask(query: string, variables?: object): Promise<Any> {
    const { data, errors } = await full(query, variables)
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
  const codeOf = async (query: string) => (await full(query)).errors?.[0]?.extensions?.code

  it('gives reasons that add up with the base to the log-odds', async () => {
    const { learner } = await ask(
      `{ learner(id: "${payers[0]}") { churn { probability baseLogOdds reasonScale source scoredAt reasons(first: 100) { contribution } } } }`,
    )
    const { probability, baseLogOdds, reasonScale, reasons, source, scoredAt } = learner.churn
    expect(reasonScale).toBe('CALIBRATED')
    const total = reasons.reduce(
      (sum: number, { contribution }: { contribution: number }) => sum + contribution,
      baseLogOdds,
    )
    expect(1 / (1 + Math.exp(-total))).toBeCloseTo(probability, 6)
    expect({ source, scoredAt }).toEqual({ source: 'MODEL', scoredAt: null })
  })

  it('says what would help, for a page of learners at once', async () => {
    const { learners } = await ask(
      `{ learners(first: 100) { nodes { churn { probability
           whatIf(goal: LOWER, to: 0.05, maxChanges: 2) { changes { feature from to unit } newProbability } } } } }`,
    )
    const asked = learners.nodes.filter(({ churn }: Any) => churn)
    const helped = asked.filter(({ churn }: Any) => churn.whatIf[0]?.changes.length > 0)
    expect(helped.length).toBeGreaterThan(0)
    for (const { churn } of helped) {
      expect(churn.whatIf[0].newProbability).toBeLessThanOrEqual(0.05)
      for (const { feature, from, to } of churn.whatIf[0].changes) {
        expect(['attempts14d', 'meanScore', 'studyMinutes28d']).toContain(feature)
        expect(to).toBeGreaterThan(from)
      }
    }
    for (const bad of [
      'goal: LOWER, to: 1.5',
      'goal: LOWER, to: 0.5, maxChanges: 9',
      'goal: RAISE, to: 0.5, first: 99',
    ])
      expect(await codeOf(`{ learner(id: "${payers[0]}") { churn { whatIf(${bad}) { newProbability } } } }`)).toBe(
        'BAD_USER_INPUT',
      )
  })

  it('puts versions side by side from one feature read, named bare, quoted, by number or by variable', async () => {
    const query = `query Q($versions: [VersionSelector!]!) { learner(id: "${payers[0]}") {
      churn { probability modelVersion { number } }
      literal: predictions(model: "churn", versions: [CHAMPION, "shadow", 2, "99"]) { ...Side }
      variable: predictions(model: "churn", versions: $versions) { ...Side } } }
      fragment Side on VersionPrediction { version prediction { probability modelVersion { number } } unavailable { code message } }`
    under.statements.count = 0
    under.statements.texts.length = 0
    const { learner } = await ask(query, { versions: ['champion', 2] })
    const reads = under.statements.texts.filter((text) => /unnest\(/.test(text) && !text.includes('AS "tenant"'))
    expect(reads).toHaveLength(1)
    const numbers = (sides: Any[]) =>
      sides.map(({ prediction, unavailable }) => prediction?.modelVersion.number ?? unavailable.code)
    expect(numbers(learner.literal)).toEqual([1, 2, 2, 'NOT_FOUND'])
    expect(learner.literal.map(({ version }: Any) => version)).toEqual(['CHAMPION', 'shadow', '2', '99'])
    expect(numbers(learner.variable)).toEqual([1, 2])
    expect(learner.literal[0].prediction.probability).toBe(learner.churn.probability)
    expect(learner.literal[1].prediction.probability).not.toBe(learner.churn.probability)
    expect(
      await codeOf(
        `{ learner(id: "${payers[0]}") { predictions(model: "struggle", versions: [CHAMPION]) { version } } }`,
      ),
    ).toMatch(/BAD_USER_INPUT/)
  })

  it('lists where two versions differ most, with fields of the other subgraph', async () => {
    const { disagreement } = await ask(
      `{ disagreement(model: "churn", versions: [CHAMPION, SHADOW], first: 3) { compared isComplete meanDifference
           disputes { difference entity { ... on Learner { id name } } predictions { probability modelVersion { number } } } } }`,
    )
    expect(disagreement).toMatchObject({ compared: payers.length, isComplete: true })
    expect(disagreement.disputes).toHaveLength(3)
    for (const { entity, difference, predictions } of disagreement.disputes) {
      expect(entity.name.length).toBeGreaterThan(2)
      expect(payers).toContain(entity.id)
      expect(Math.abs(predictions[0].probability - predictions[1].probability)).toBeCloseTo(difference, 12)
    }
    expect(await codeOf('{ disagreement(model: "churn", versions: [CHAMPION]) { compared } }')).toBe('BAD_USER_INPUT')
    expect(await codeOf('{ disagreement(model: "churn", versions: [CHAMPION, nobody]) { compared } }')).toBe(
      'NOT_FOUND',
    )
  })

  it('scores a form being filled in, typed by the model’s features', async () => {
    const { scoreInput } = await ask(
      `{ scoreInput(input: { churn: { attempts14d: 0, daysSinceActive: 30, plan: "monthly" } }) {
           prediction { probability source reasons(first: 3) { feature } quality { missing unknown interval { low high } }
             whatIf(goal: LOWER, to: 0.3) { newProbability } modelVersion { number } trend { scores } }
           unavailable { code } } }`,
    )
    const { prediction, unavailable } = scoreInput
    expect(unavailable).toBeNull()
    expect(prediction.quality.missing).toContain('country')
    expect(prediction.quality.missing).not.toContain('attempts14d')
    expect(prediction.reasons).toHaveLength(3)
    expect(prediction.trend).toBeNull()
    expect(await codeOf('{ scoreInput(input: {}) { prediction { probability } } }')).toBe('BAD_USER_INPUT')
    expect(await codeOf('{ scoreInput(input: { churn: {}, struggle: {} }) { prediction { probability } } }')).toBe(
      'BAD_USER_INPUT',
    )
    expect(
      await codeOf('{ scoreInput(input: { churn: { attempts14d: "many" } }) { prediction { probability } } }'),
    ).toBe('GRAPHQL_VALIDATION_FAILED')
    expect(await codeOf('{ scoreInput(input: { churn: { nothing: 1 } }) { prediction { probability } } }')).toBe(
      'GRAPHQL_VALIDATION_FAILED',
    )
  })

  it('tells how good the ground is, with the age of the rows behind each feature', async () => {
    const { learner } = await ask(
      `{ learner(id: "${payers[0]}") { churn { reasons(first: 100) { feature value }
           quality { missing unknown outOfRange ages { feature days } interval { low high } } } } }`,
    )
    const { quality, reasons } = learner.churn
    const ages = new Map<string, number>(quality.ages.map(({ feature, days }: Any) => [feature, days]))
    const sinceAttempt = reasons.find(({ feature }: Any) => feature === 'daysSinceAttempt').value
    if (sinceAttempt !== null) expect(ages.get('attempts60d')).toBeCloseTo(sinceAttempt, 9)
    expect(ages.has('country')).toBe(false)
    expect(quality.interval.low).toBeLessThanOrEqual(quality.interval.high)
  })

  it('answers as served, with the trend of what was stored', async () => {
    const scores = createScoreStore(under.database)
    const { clock } = under.ground
    const [newest] = await under.app.registry.list<ModelContents>(MODEL_KIND, 'churn')
    const id = payers[1]!
    for (const [ago, probability] of [
      [21, 0.1],
      [14, 0.3],
      [7, 0.5],
    ] as const) {
      const asOf = new Date(clock.now().getTime() - ago * DAY_MS)
      await scores.write({
        model: 'churn',
        version: newest!,
        asOf,
        scoredAt: asOf,
        keys: [{ id }],
        probability: [probability],
        low: [0],
        high: [1],
      })
    }
    const asOf = new Date(clock.now().getTime() - 10 * DAY_MS).toISOString()
    const { learner } = await ask(
      `query Q($asOf: DateTime!) { learner(id: "${id}") {
         then: churn(asOf: $asOf, asServed: true) { probability source scoredAt riskLevel reasons { feature } quality { missing } whatIf(goal: LOWER, to: 0.1) { newProbability } modelVersion { number } }
         before: churnUnavailable(asOf: "2001-01-01", asServed: true) { code }
         churn { trend(window: { days: 30 }) { slopePerDay direction scores } } } }`,
      { asOf },
    )
    expect(learner.then).toMatchObject({
      probability: 0.3,
      source: 'STORED',
      reasons: [],
      quality: null,
      whatIf: null,
      modelVersion: { number: newest!.number },
    })
    expect(learner.before).toEqual({ code: 'NOT_STORED' })
    expect(learner.churn.trend).toMatchObject({ direction: 'RISING', scores: 3 })
    expect(learner.churn.trend.slopePerDay).toBeCloseTo(0.2 / 7, 6)
  })

  it('reports how often a version answered rather than abstained', async () => {
    const { models } = await ask('{ models { name champion { coverage { asked answered share } } } }')
    const { coverage } = models.find(({ name }: Any) => name === 'churn').champion
    expect(coverage).toMatchObject({ share: 1 })
    expect(coverage.asked).toBeGreaterThanOrEqual(payers.length)
    expect(coverage.answered).toBe(coverage.asked)
  })

  it('keeps to a time budget: stored, null or an error, with a reason', async () => {
    const churn = under.app.models.find(({ name }) => name === 'churn')! as { read: (...given: Any[]) => Promise<Any> }
    const { read } = churn
    churn.read = async (...given) => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      return read.apply(churn, given)
    }
    try {
      const { learner } = await ask(
        `{ learner(id: "${payers[1]}") {
             stored: churn(within: { ms: 20, otherwise: STORED }) { probability source }
             none: churn(within: { ms: 20 }) { probability }
             why: churnUnavailable(within: { ms: 20 }) { code }
             patient: churn(within: { ms: 20000, otherwise: ERROR }) { source } } }`,
      )
      expect(learner).toEqual({
        stored: { probability: 0.5, source: 'STORED' },
        none: null,
        why: { code: 'DEADLINE_EXCEEDED' },
        patient: { source: 'MODEL' },
      })
      const { data, errors } = await full(
        `{ learner(id: "${payers[1]}") { name churn(within: { ms: 20, otherwise: ERROR }) { probability } } }`,
      )
      expect(errors[0].extensions.code).toBe('DEADLINE_EXCEEDED')
      expect(data.learner.name.length).toBeGreaterThan(2)
    } finally {
      churn.read = read
    }
    expect(await codeOf(`{ learner(id: "${payers[1]}") { churn(within: { ms: 0 }) { probability } } }`)).toBe(
      'BAD_USER_INPUT',
    )
  })

  it('degrades one model, not the query, when its features cannot be read', async () => {
    const churn = under.app.models.find(({ name }) => name === 'churn')! as { read: (...given: Any[]) => Promise<Any> }
    const { read } = churn
    churn.read = () => Promise.reject(new Error('no such column; password=secret'))
    try {
      const answer = await full(
        `{ learner(id: "${payers[1]}") { name churn { probability } churnUnavailable { code message } progress(first: 3) { nodes { struggleUnavailable { code } struggleProbability } } } }`,
      )
      expect(answer.errors).toBeUndefined()
      expect(answer.data.learner.churnUnavailable.code).toBe('FEATURE_READ_FAILED')
      expect(JSON.stringify(answer)).not.toContain('secret')
      for (const node of answer.data.learner.progress.nodes)
        expect(node.struggleUnavailable?.code).not.toBe('FEATURE_READ_FAILED')
    } finally {
      churn.read = read
    }
  })

  it('lets the rule of the model file stand in where no version can answer, and says so', async () => {
    const text = readFileSync(new URL('../../examples/queries/81-what-stands-in.graphql', import.meta.url), 'utf8')
    const found = async () =>
      (await ask(text)).learners.nodes.flatMap(({ progress }: Any) => progress.nodes) as {
        struggle: Any
        struggleUnavailable: Any
      }[]
    const sourcesOf = (nodes: readonly { struggle: Any }[]) =>
      [...new Set(nodes.flatMap(({ struggle }) => (struggle ? [struggle.source] : [])))].sort()
    expect(sourcesOf(await found())).toEqual(['MODEL'])
    const struggle = under.app.models.find(({ name }) => name === 'struggle')! as { schemaHash: string }
    const { schemaHash } = struggle
    struggle.schemaHash = 'of a file that was changed since'
    try {
      const nodes = await found()
      expect(sourcesOf(nodes)).toEqual(['RULE'])
      for (const { struggle: answer, struggleUnavailable } of nodes) {
        if (answer) expect(answer).toMatchObject({ confidence: 0, modelVersion: null, scoredAt: null })
        else expect(['FEATURE_MISMATCH', 'NOT_APPLICABLE']).toContain(struggleUnavailable.code)
      }
    } finally {
      struggle.schemaHash = schemaHash
    }
  })

  it('says what predictions cost, in process and over HTTP alike, and nothing where nothing was predicted', async () => {
    const query =
      '{ learners(first: 60) { nodes { churnScore churn { probability } progress(first: 2) { nodes { struggleProbability } } } } }'
    const { extensions } = await full(query)
    expect(extensions.ml.churn).toMatchObject({ rows: 60, reads: 1, batches: 1, explainMs: 0 })
    expect(extensions.ml.churn.readMs).toBeGreaterThan(0)
    expect(extensions.ml.struggle.rows).toBeGreaterThan(0)
    expect((await full('{ learners(first: 3) { nodes { name } } }')).extensions).toBeUndefined()

    const { subgraphs } = under.app
    const stamp = new Date()
    const requestOf = ({ requestId }: { requestId: string }) => ({
      requestId,
      viewer: localViewer,
      now: stamp,
      instant: stamp,
      log: silent,
    })
    const served: ServedSubgraph[] = []
    const secret = 'of the test'
    for (const subgraph of subgraphs)
      served.push(await serveSubgraph({ subgraph, requestOf, secret, host: '127.0.0.1', port: 0, log: silent }))
    const urls = Object.fromEntries(subgraphs.map(({ name }, index) => [name, served[index]!.url]))
    const gateway: Gateway = await createGateway({
      subgraphs,
      requestOf,
      log: silent,
      production: false,
      transport: { urls, secret },
    })
    try {
      const operation = await gateway.open({ transport: 'http', headers: {}, requestId: 'costs' })
      const result = (await gateway.run(operation, { query })) as { extensions: Any }
      expect(result.extensions.ml.churn.rows).toBe(60)
      expect(result.extensions.ml.struggle.rows).toBe(extensions.ml.struggle.rows)
    } finally {
      await gateway.close()
      for (const { close } of served) await close()
    }
  })

  it.each(['5-what-would-help', '6-versions', '7-form', '8-time', '81-what-stands-in'])(
    'answers the example %s without an error',
    async (name) => {
      const text = readFileSync(new URL(`../../examples/queries/${name}.graphql`, import.meta.url), 'utf8')
      const { data, errors } = await full(text)
      expect(errors).toBeUndefined()
      expect(JSON.stringify(data)).toMatch(/"probability":0\.\d/)
    },
  )

  it('names the champion by its alias whatever else is asked', async () => {
    const { models } = await ask('{ models { name champion { number } } }')
    expect(models.find(({ name }: Any) => name === 'churn').champion.number).toBe(1)
    const moves = await under.app.registry.moves(MODEL_KIND, 'churn')
    expect(moves.filter(({ alias }) => alias === CHAMPION)).toHaveLength(1)
  })
})
