import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bucketOf } from '../../ml/rollout/split.ts'
import { registerToys, startToyApp, type ToyApp } from './toy-app.ts'

/** How long every state of the rollout is under load. The script of issue 5 in short; INKLING_LIFE_MS=60000 makes it long. */
const STATE_MS = Number(process.env.INKLING_LIFE_MS ?? 200)
const CLIENTS = 3
const FIRST = 20

const QUERY = `{
  a: toys(first: ${FIRST}) { id toy { modelVersion { number } } again: toy { modelVersion { number } } toyUnavailable { code } }
  b: toys(first: ${FIRST}) { id toy { probability modelVersion { number } } }
}`

interface Answer {
  readonly startedAt: number
  readonly endedAt: number
  readonly failure: string | null
  /** Versions by the key's id, as each field of the response gave them. */
  readonly versions: ReadonlyMap<string, ReadonlySet<number>>
}

describe('the life of a model under load', () => {
  let app: ToyApp
  const answers: Answer[] = []
  let isOver = false
  let clients: Promise<void>[] = []

  beforeAll(async () => {
    app = await startToyApp(900)
    await registerToys(app, 3)
    await mutate('promoteVersion', 'PromoteVersion', { model: 'toy', version: '1' })
    await app.serving.refresh()
    clients = Array.from({ length: CLIENTS }, () => load())
  })
  afterAll(async () => {
    isOver = true
    await Promise.all(clients)
    await app.close()
  })

  async function load(): Promise<void> {
    while (!isOver) {
      const startedAt = Date.now()
      const { status, body } = await app.send(QUERY).catch((error) => ({ status: 0, body: String(error) }))
      const endedAt = Date.now()
      const { data, errors } = status === 200 ? JSON.parse(body) : { data: null, errors: body }
      const versions = new Map<string, Set<number>>()
      let failure: string | null = errors ? JSON.stringify(errors) : null
      for (const toy of [...(data?.a ?? []), ...(data?.b ?? [])]) {
        for (const field of [toy.toy, ...('again' in toy ? [toy.again] : [])]) {
          if (!field) failure ??= JSON.stringify(toy)
          else versions.set(toy.id, (versions.get(toy.id) ?? new Set()).add(field.modelVersion.number))
        }
      }
      answers.push({ startedAt, endedAt, failure, versions })
    }
  }
  // biome-ignore lint/suspicious/noExplicitAny: payloads of every shape
  async function mutate(field: string, type: string, input: object): Promise<any> {
    const selections: Record<string, string> = {
      Experiment: '{ id share outcome steps { share at } }',
      Version: '{ number state }',
      Move: '{ sequence act from { number } to { number } movedBy reason }',
    }
    const [name, selection] = /Experiment/.test(type)
      ? ['experiment', selections.Experiment]
      : /Approve|Reject/.test(type)
        ? ['version', selections.Version]
        : ['move', selections.Move]
    const data = await app.ask(
      `mutation($input: ${type}Input!) { ${field}(input: $input) { __typename ... on ${type}Payload { ${name} ${selection} } ... on Error { code message hint } } }`,
      { input },
    )
    return data[field]
  }
  /** Versions seen by requests that began after a moment. */
  const seenSince = (moment: number) =>
    new Set(
      answers
        .filter(({ startedAt }) => startedAt >= moment)
        .flatMap(({ versions }) => [...versions.values()].flatMap((set) => [...set])),
    )
  async function stay(): Promise<void> {
    const count = answers.length
    await pause(STATE_MS)
    await expect.poll(() => answers.length, { timeout: 30_000 }).toBeGreaterThan(count + CLIENTS)
  }
  async function answersOnly(number: number): Promise<void> {
    const began = Date.now()
    await expect.poll(() => app.serving.states()[0]?.version, { interval: 5, timeout: 10_000 }).toBe(number)
    const swapped = Date.now()
    await stay()
    expect([...seenSince(swapped + 5)]).toEqual([number])
    swaps.push(swapped - began)
  }
  let salt = ''
  /** Milliseconds from the answer of the mutation to the new version in force. */
  const swaps: number[] = []

  it('promotes another version', async () => {
    await answersOnly(1)
    expect(
      await mutate('promoteVersion', 'PromoteVersion', { model: 'toy', version: '2', reason: 'newer' }),
    ).toMatchObject({
      __typename: 'PromoteVersionPayload',
      move: { act: 'MOVE', from: { number: 1 }, to: { number: 2 }, movedBy: 'local', reason: 'newer' },
    })
    await answersOnly(2)
    const late = await mutate('promoteVersion', 'PromoteVersion', {
      model: 'toy',
      version: '3',
      expected: (await app.registry.find('model', 'toy', 1))!,
    })
    expect(late).toMatchObject({ __typename: 'ConflictError', code: 'CONFLICT' })
    expect(await mutate('promoteVersion', 'PromoteVersion', { model: 'toy', version: '99' })).toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await mutate('removeAlias', 'RemoveAlias', { model: 'toy', alias: '../x' })).toMatchObject({
      __typename: 'InvalidInputError',
    })
  })

  it('ramps an experiment from 1 % to 50 %', async () => {
    const started = await mutate('startExperiment', 'StartExperiment', {
      model: 'toy',
      version: '3',
      steps: [{ share: 0.01 }],
      leastKeys: 1000,
    })
    const { id } = started.experiment
    const begun = Date.now()
    salt = (await app.registry.experiments.find(id))!.salt
    await stay()
    for (const share of [0.1, 0.5]) {
      const ramped = await mutate('rampExperiment', 'RampExperiment', { id, steps: [{ share }] })
      expect(ramped.experiment.steps.at(-1)).toMatchObject({ share })
      await stay()
    }
    expect([...seenSince(begun)].sort()).toEqual([2, 3])
    const { model, experiments } = await app.ask(
      '{ model(name: "toy") { experiment { id share challenger { number } } } experiments(model: "toy") { nodes { id outcome } } }',
    )
    expect(model.experiment).toMatchObject({ id, share: 0.5, challenger: { number: 3 } })
    expect(experiments.nodes).toEqual([{ id, outcome: null }])
  })

  it('rolls back with one call, which ends the experiment, and retrains', { timeout: 180_000 }, async () => {
    await mutate('moveAlias', 'MoveAlias', { model: 'toy', alias: 'shadow', version: '3' })
    expect((await mutate('rollbackModel', 'RollbackModel', { model: 'toy' })).move).toMatchObject({
      act: 'ROLLBACK',
      from: { number: 2 },
      to: { number: 1 },
    })
    await answersOnly(1)
    const { experiments } = await app.ask('{ experiments(model: "toy") { nodes { outcome endedBy } } }')
    expect(experiments.nodes).toEqual([{ outcome: 'ROLLED_BACK', endedBy: 'local' }])
    const { trainModel } = await app.ask(
      'mutation { trainModel(input: { model: "toy", promote: ALWAYS, seed: 5 }) { ... on TrainModelPayload { job { id } trainingRun { id } } } }',
    )
    expect(await app.jobs.ended(trainModel.job.id)).toMatchObject({ state: 'SUCCEEDED' })
    await answersOnly(4)
    const { trainingRun } = await app.ask(
      'query($id: ID!) { trainingRun(id: $id) { isPromoted why modelVersion { number comparison { champion { number } rows } } } }',
      { id: trainModel.trainingRun.id },
    )
    expect(trainingRun).toMatchObject({
      isPromoted: true,
      why: 'trained, verified and through its gates',
      modelVersion: { number: 4, comparison: { champion: { number: 1 } } },
    })
  })

  it('compares with a shadow, and tells clients what happened and how versions differ', async () => {
    await app.shadow.flush()
    const told = await app.ask(`{
      shadowComparisons(model: "toy") { nodes { rows agreement shadow { number } } }
      aliasMoves(model: "toy", alias: "champion", first: 10) { nodes { act to { number } } }
      modelVersions(model: "toy", state: REGISTERED) { nodes { number gates { says } } }
      versionDiff(model: "toy", before: "1", after: "champion") { before { number } after { number } metrics { name before { value low } after { value } } settings { name before after } features { name } }
    }`)
    expect(told.shadowComparisons.nodes.length).toBeGreaterThan(0)
    expect(told.shadowComparisons.nodes[0]).toMatchObject({ shadow: { number: 3 } })
    expect(
      told.aliasMoves.nodes.map(({ act, to }: { act: string; to: { number: number } }) => `${act} ${to.number}`),
    ).toEqual(['MOVE 4', 'ROLLBACK 1', 'MOVE 2', 'MOVE 1'])
    expect(told.modelVersions.nodes.map(({ number }: { number: number }) => number)).toEqual([4, 3, 2, 1])
    expect(told.versionDiff).toMatchObject({ before: { number: 1 }, after: { number: 4 }, features: [] })
    expect(told.versionDiff.settings).toContainEqual({ name: 'seed', before: '0', after: '5' })
  })

  it('failed no request and mixed no versions in one', async () => {
    isOver = true
    await Promise.all(clients)
    expect(answers.filter(({ failure }) => failure !== null)).toEqual([])
    const mixed = answers.filter(({ versions }) => {
      if ([...versions.values()].some((seen) => seen.size > 1)) return true // one key, two versions
      const all = new Set([...versions.values()].flatMap((seen) => [...seen]))
      if (all.size === 1) return false
      if ([...all].sort().join() !== '2,3') return true // never side by side
      const bucketsOf = (number: number) =>
        [...versions].filter(([, seen]) => seen.has(number)).map(([id]) => bucketOf(salt, { id }))
      return Math.max(...bucketsOf(3)) >= Math.min(...bucketsOf(2)) // two shares of one experiment
    })
    expect(mixed).toEqual([])
    expect(answers.length).toBeGreaterThan(20)
    if (process.env.INKLING_LIFE_MS)
      console.log(`${answers.length} requests, 0 failed, 0 mixed; in force after ${swaps.join(', ')} ms`)
  })
})
