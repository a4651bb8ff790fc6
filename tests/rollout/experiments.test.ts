import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHAMPION, MODEL_KIND, SHADOW } from '../../ml/model-version.ts'
import { isPrediction } from '../../ml/prediction.ts'
import { createReadArms } from '../../ml/rollout/arms.ts'
import { startExperiment } from '../../ml/rollout/experiments.ts'
import { createShadowing } from '../../ml/rollout/shadow.ts'
import { listComparisons } from '../../ml/rollout/shadow-store.ts'
import { bucketOf } from '../../ml/rollout/split.ts'
import { createExperimentUpkeep } from '../../ml/rollout/upkeep.ts'
import { createServing, type Serving } from '../../ml/serving.ts'
import { createRegistry } from '../../registry/registry.ts'
import { silent } from '../harness.ts'
import { now, openToyStand, type ToyStand, toy } from '../predictions/toy-stand.ts'

describe('two versions side by side', () => {
  let stand: ToyStand
  beforeAll(async () => {
    stand = await openToyStand(3)
  })
  afterAll(() => stand.close())

  const ids = Array.from({ length: 400 }, (_, at) => at + 1)
  async function answered(instant = new Date()): Promise<Map<number, string>> {
    const loader = stand.loader({ instant })
    const outcomes = await Promise.all(ids.map((id) => loader.load(toy(id))))
    return new Map(
      outcomes.map((outcome, at) => {
        if (!isPrediction(outcome)) throw new Error(outcome.message)
        return [ids[at]!, outcome.versionId!]
      }),
    )
  }
  /** Who would answer about each key in a process. */
  function sidesOf(serving: Serving): Map<number, string> {
    const { versionOf } = serving.sidesAt(stand.model, new Date())
    return new Map(ids.map((id) => [id, versionOf({ id }).version.id]))
  }
  const count = (answers: Map<number, string>, version: string) =>
    [...answers.values()].filter((id) => id === version).length
  const versionOf = async (id: string) => (await stand.registry.versions(MODEL_KIND, [id]))[0] as never
  async function start(challenger: string, steps: { share: number; at?: Date }[], plan = {}) {
    const experiment = await startExperiment(stand.registry, stand.model, {
      challenger: await versionOf(challenger),
      steps,
      plan,
      startedBy: 'tests',
    })
    await stand.serving.refresh()
    return experiment
  }
  const upkeep = () =>
    createExperimentUpkeep({ ...stand, readArms: createReadArms(stand.database), log: silent, everyMs: 1e6 })

  it('answer each about its own keys from one feature read, the same key always by the same, whichever process', async () => {
    const [champion, challenger] = stand.ids as [string, string]
    const before = new Date()
    const other = await createServing({ registry: createRegistry(stand.database), models: [stand.model], log: silent })
    const { id, salt } = await start(challenger, [{ share: 0.3 }, { share: 1, at: new Date(Date.now() + 60_000) }])
    // Another process would hear of it in the same way: by notification alone.
    for (const process of [other, stand.serving])
      await expect.poll(() => count(sidesOf(process), challenger), { interval: 5, timeout: 10_000 }).toBeGreaterThan(60)
    stand.client.statements = 0
    const answers = await answered()
    expect(stand.client.statements).toBe(1)
    for (const key of ids) expect(answers.get(key)).toBe(bucketOf(salt, { id: key }) < 3000 ? challenger : champion)
    expect(count(answers, challenger)).toBeGreaterThan(60)
    expect(sidesOf(other)).toEqual(answers)
    expect(count(await answered(before), challenger)).toBe(0) // a request from before the start
    expect(count(await answered(new Date(Date.now() + 61_000)), challenger)).toBe(400) // a step that was planned
    await other.close()
    await stand.registry.experiments.ramp(id, [{ share: 0.6 }], 'tests')
    await stand.serving.refresh()
    const ramped = await answered()
    for (const key of ids) if (answers.get(key) === challenger) expect(ramped.get(key)).toBe(challenger)
    expect(count(ramped, challenger)).toBeGreaterThan(count(answers, challenger))
    const rolledTo = await stand.registry
      .rollback({ kind: MODEL_KIND, name: 'toy', alias: CHAMPION, movedBy: 'tests', reason: 'x' })
      .catch((error) => error)
    expect(rolledTo.code).toBe('NOT_FOUND') // nothing served before, so that nothing changes
    await stand.point(CHAMPION, stand.ids[2]!)
    await stand.registry.rollback({ kind: MODEL_KIND, name: 'toy', alias: CHAMPION, movedBy: 'tests', reason: 'x' })
    await stand.serving.refresh()
    expect(count(await answered(), champion)).toBe(400)
    expect(await stand.registry.experiments.find(id)).toMatchObject({ outcome: 'CHAMPION_MOVED' })
  })

  it('end when the truth shows which is better; a key counts once, by what was served while the experiment ran', async () => {
    const [champion, challenger] = stand.ids as [string, string]
    const { id } = await start(challenger, [{ share: 0.5 }], { leastKeys: 100, promotes: true })
    const serve = (version: string, from: number, right: number, servedAt = 'now()') =>
      stand.database.query(
        `INSERT INTO "inkling"."Prediction" ("model", "key", "asOf", "servedAt", "versionId", "probability", "threshold", "source", "bins", "slices", "label", "weight", "labelledAt")
         SELECT 'toy', format('["%s"]', i), $3, ${servedAt}, $1::uuid, CASE WHEN i % 10 < $4::int THEN 0.8 ELSE 0.2 END, 0.5, 'MODEL', '{}', '{}', 1, 1, now()
         FROM generate_series($2::int, $2::int + 299) i`,
        [version, from, now, right],
      )
    await serve(champion, 10_000, 6)
    await serve(challenger, 20_000, 9)
    await serve(challenger, 10_000, 0) // the same keys again: they have been counted
    await serve(challenger, 30_000, 0, `now() - interval '1 hour'`) // before the experiment
    const { baseline, challenger: other } = await createReadArms(stand.database)(
      (await stand.registry.experiments.find(id))!,
      'error',
    )
    expect([baseline.keys, other.keys]).toEqual([300, 300])
    expect(baseline.mean).toBeCloseTo(0.4)
    expect(other.mean).toBeCloseTo(0.1)
    const looking = [upkeep(), upkeep()] // two processes judge at once
    await Promise.all(looking.map((one) => one.look()))
    for (const one of looking) await one.stop()
    expect(await stand.registry.experiments.find(id)).toMatchObject({
      outcome: 'CHALLENGER_BETTER',
      endedBy: 'sequential test',
      verdict: { baseline: { keys: 300 }, interval: { high: expect.any(Number) } },
    })
    await stand.serving.refresh()
    expect(count(await answered(), challenger)).toBe(400)
    const moves = await stand.registry.moves(MODEL_KIND, 'toy')
    expect(moves.at(-1)).toMatchObject({ toId: challenger, movedBy: 'sequential test' })
  })

  it('end when the challenger may not serve any more, and nobody was refused an answer', async () => {
    const [, champion, challenger] = stand.ids as [string, string, string]
    const { id } = await start(challenger, [{ share: 1 }])
    expect(count(await answered(), challenger)).toBe(400)
    await stand.registry.quarantine(challenger, 'its golden rows differ')
    const look = upkeep()
    await look.look()
    await look.stop()
    expect(await stand.registry.experiments.find(id)).toMatchObject({ outcome: 'CHALLENGER_UNFIT' })
    await stand.serving.refresh()
    expect(count(await answered(), champion)).toBe(400)
  })

  it('let a shadow score what was served, after it was served, and keep sums alone', async () => {
    const [shadow, champion] = stand.ids as [string, string]
    await stand.point(SHADOW, shadow)
    await stand.serving.refresh()
    const shadowing = createShadowing({ database: stand.database, serving: stand.serving, log: silent })
    stand.client.statements = 0
    const loader = stand.loader({ shadow: shadowing })
    const asked = await Promise.all(ids.map((id) => loader.load(toy(id))))
    await shadowing.flush()
    expect(stand.client.statements).toBe(1)
    const compared = stand.loader()
    const own = await Promise.all(ids.map((id) => compared.loadVersion(toy(id), SHADOW)))
    const differences = asked.map(
      (outcome, at) =>
        (own[at] as { probability: number }).probability - (outcome as { probability: number }).probability,
    )
    const [sums] = await listComparisons(stand.database, 'toy', 10)
    expect(sums).toMatchObject({ servedId: champion, shadowId: shadow, rows: 400, failed: 0, dropped: 0 })
    expect(sums!.difference).toBeCloseTo(
      differences.reduce((sum, difference) => sum + difference, 0),
      5,
    )
    expect(sums!.largest).toBeCloseTo(Math.max(...differences.map(Math.abs)), 6)
    await Promise.all(ids.map((id) => stand.loader({ shadow: shadowing }).load(toy(id))))
    await shadowing.close()
    expect((await listComparisons(stand.database, 'toy', 10))[0]).toMatchObject({ rows: 800 })
  })

  it('count rows that a shadow has no time for rather than hold a request up', async () => {
    const shadowing = createShadowing({ database: stand.database, serving: stand.serving, log: silent })
    const loader = stand.loader()
    const outcomes = await Promise.all(ids.map((id) => loader.load(toy(id))))
    const many = Array.from({ length: 15 }, () => outcomes).flat()
    shadowing.observe(stand.model, new Date(), many)
    await shadowing.close()
    expect((await listComparisons(stand.database, 'toy', 10))[0]).toMatchObject({ rows: 5800, dropped: 1000 })
  })
})
