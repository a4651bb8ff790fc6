import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
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

  it.each(Object.entries(checks))('%s', async (_check, run) => run({ client }))

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

  it.runIf(server)('loses no request while each process is restarted, one after the other', async () => {
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
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    const running = [0, 1, 2].map(load)
    for (const process of deployment.processes) {
      expect(await process.stop()).toBe(0)
      await process.start()
      if (process.role !== 'gateway') continue
      // A balancer looks whether a process is ready before it ends the next one.
      await expect.poll(async () => (await fetch(`${process.url}/ready`)).status, { timeout: 30_000 }).toBe(200)
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    isOver = true
    await Promise.all(running)
    expect(failed).toEqual([])
    expect(answered).toBeGreaterThan(50)
  })

  it.runIf(server)('goes on when the database cuts every connection', async () => {
    await ground.database.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    )
    await expect.poll(async () => (await client.ask(list)).errors ?? [], { timeout: 20_000 }).toEqual([])
    await checks['stores scores by a job, and lists by them with the rows of the other subgraph']!({ client })
  })

  it.runIf(server)('answers in part while the processes of a subgraph hang, and whole once they go on', async () => {
    const hanging = deployment.processes.filter(({ role }) => role === 'ml')
    for (const process of hanging) process.kill('SIGSTOP')
    const answers: Answer[] = []
    let took = 0
    // Whoever comes first waits for the deadline; once it is known that nobody answers, nobody waits.
    for (let round = 0; round < 3; round++)
      answers.push(...(await Promise.all(Array.from({ length: 6 }, () => client.ask(list)))))
    const began = performance.now()
    answers.push(...(await Promise.all(Array.from({ length: 6 }, () => client.ask(list)))))
    took = performance.now() - began
    for (const process of hanging) process.kill('SIGCONT')
    for (const { status, data, errors } of answers) {
      expect(status).toBe(200)
      expect(data.learners.nodes[0].name).toMatch(/\w/)
      expect(errors).toMatchObject([{ path: ['learners', 'nodes'], extensions: { code: 'UNAVAILABLE' } }])
    }
    expect(took).toBeLessThan(8_000)
    await expect.poll(async () => (await client.ask(list)).errors ?? [], { timeout: 20_000 }).toEqual([])
  })

  it('answers what the others hold when a subgraph is gone', async () => {
    await deployment.endSubgraph('learning')
    const ask = () => client.ask('{ models { name } learners(first: 1) { nodes { name } } }')
    const { status, data, errors } = await ask()
    expect([status, data.learners, data.models.length]).toEqual([200, null, 3])
    expect(errors).toMatchObject([{ path: ['learners'], extensions: { code: 'UNAVAILABLE' } }])
  })
})
