import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { MODEL_KIND } from '../../ml/model-version.ts'
import { createRegistry } from '../../registry/registry.ts'
import { checks } from './checks.ts'
import { type Answer, type Client, openClient } from './client.ts'
import { type Deployment, inManyProcesses, inOneProcess } from './deployment.ts'
import { type SeededGround, seededGround } from './ground.ts'

const server = inject('server')
const deployments = { 'in one process': inOneProcess, 'in many processes': inManyProcesses }
const list = '{ learners(first: 20) { nodes { name churnScore } } }'

let ground: SeededGround
beforeAll(async () => {
  ground = await seededGround(server)
})
afterAll(() => ground.close())

/** Imports churn's newest version once more, past the gates that a small school may fail, and promotes it. */
async function promote(): Promise<number> {
  const registry = createRegistry(ground.database)
  const [newest] = await registry.list(MODEL_KIND, 'churn', 1)
  const { schemaHash, contents } = newest!
  const artefacts: Record<string, Uint8Array> = {}
  for (const role of Object.keys(newest!.artefacts)) artefacts[role] = await registry.artefact(newest!, role)
  const version = { kind: MODEL_KIND, name: 'churn', state: 'REGISTERED', reasons: [], createdBy: 'ada' } as const
  const { id, number } = await registry.register({ ...version, artefacts, schemaHash, contents })
  await registry.move({
    kind: MODEL_KIND,
    name: 'churn',
    alias: 'champion',
    movedBy: 'ada',
    reason: 'a check',
    versionId: id,
  })
  return number
}

describe.each(Object.entries(deployments))('the product %s', { timeout: 120_000 }, (_name, open) => {
  let deployment: Deployment
  let client: Client
  beforeAll(async () => {
    deployment = await open(ground)
    client = openClient(deployment.urls, ground.authorization)
  })
  afterAll(async () => {
    client.close()
    await deployment.close()
  })

  it.each(Object.entries(checks))('%s', async (_check, run) => run({ client, promote }))

  it('lets nobody in without a token, by any way', async () => {
    for (const { url } of deployment.processes.filter(({ role }) => role !== 'worker')) {
      const { status } = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ __typename }"}',
      })
      expect(status).toBe(401)
    }
    const anonymous = openClient(deployment.urls, '')
    expect((await anonymous.ask(list)).status).toBe(401)
    anonymous.close()
  })

  if (open === inOneProcess) return

  it.runIf(server)(
    'loses no request while each process is restarted, one after the other',
    { timeout: 300_000 },
    async () => {
      const failed: Answer[] = []
      let answered = 0
      let isOver = false
      const record = `mutation($input: RecordAttemptInput!) { recordAttempt(input: $input) { __typename } }`
      const { learner } = await client.data(
        '{ learner: learners(first: 1) { nodes { id progress(first: 1) { nodes { objectiveId } } } } }',
      )
      const [{ id: learnerId, progress }] = learner.nodes
      const input = { learnerId, objectiveId: progress.nodes[0].objectiveId, score: 50 }
      const load = async (number: number) => {
        while (!isOver) {
          const answer = number === 0 ? await client.ask(record, { input }) : await client.ask(list)
          answered++
          if (answer.status !== 200 || answer.errors) failed.push(answer)
          await new Promise((resolve) => setTimeout(resolve, 100)) // starts take the machine that the load leaves
        }
      }
      const running = [0, 1, 2].map(load)
      const { processes } = deployment
      const first = processes.filter(({ role }, at) => processes.findIndex((other) => other.role === role) === at)
      // One process of each role at a time, as whoever rolls a release out does it: the next only when the last is ready.
      for (const wave of [first, processes.filter((process) => !first.includes(process))]) {
        expect(await Promise.all(wave.map((process) => process.stop()))).toEqual(wave.map(() => 0))
        await Promise.all(wave.map((process) => process.start()))
        await Promise.all(wave.map((process) => process.isReady()))
      }
      isOver = true
      await Promise.all(running)
      expect(failed).toEqual([])
      expect(answered).toBeGreaterThan(50)
    },
  )

  it.runIf(server)('goes on when the database cuts every connection', async () => {
    await ground.database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    )
    await expect.poll(async () => (await client.ask(list)).errors ?? [], { timeout: 20_000 }).toEqual([])
    await checks['stores scores by a job, and lists by them with the rows of the other subgraph']!({ client, promote })
  })

  it.runIf(server)('answers in part while the processes of a subgraph hang, and whole once they go on', async () => {
    const hanging = deployment.processes.filter(({ role }) => role === 'ml')
    const gateway = await deployment.openImpatient()
    for (const process of hanging) process.kill('SIGSTOP')
    const hasty = openClient([gateway.url], ground.authorization)
    const ask = () => Promise.all(Array.from({ length: 6 }, () => hasty.ask(list)))
    // Whoever comes first waits for the deadline; once it is known that nobody answers, nobody waits.
    const answers = [...(await ask()), ...(await ask())]
    const began = performance.now()
    answers.push(...(await ask()))
    const took = performance.now() - began
    for (const process of hanging) process.kill('SIGCONT')
    for (const { status, data, errors } of answers) {
      expect(status).toBe(200)
      expect(data.learners.nodes[0].name).toMatch(/\w/)
      expect(errors).toMatchObject([{ path: ['learners', 'nodes'], extensions: { code: 'UNAVAILABLE' } }])
    }
    expect(took).toBeLessThan(2_000)
    await expect.poll(async () => (await hasty.ask(list)).errors ?? [], { timeout: 20_000 }).toEqual([])
    hasty.close()
    await gateway.close()
  })

  it('answers what the others hold when a subgraph is gone', async () => {
    await deployment.endSubgraph('learning')
    const { status, data, errors } = await client.ask('{ models { name } learner(id: "1") { name } }')
    expect([status, data.learner, data.models.length]).toEqual([200, null, 3])
    expect(errors).toMatchObject([{ path: ['learner'], extensions: { code: 'UNAVAILABLE' } }])
  })
})
