import { describe, expect, it } from 'vitest'
import type { JobEvent } from '../../jobs/event.ts'
import type { Job } from '../../jobs/job.ts'
import { findViolations } from './checker.ts'
import type { History } from './history.ts'

const id = 'a0000000-0000-4000-8000-000000000001'
const at = new Date(0)
const job = {
  id,
  kind: 'effects',
  state: 'SUCCEEDED',
  input: { steps: 2 },
  result: { sum: 3 },
  attempt: 2,
  lastSequence: 8,
} as unknown as Job
const types: [JobEvent['type'], object?][] = [
  ['QUEUED'],
  ['RUNNING'],
  ['STEP'],
  ['PROGRESS'],
  ['RETRYING'],
  ['RUNNING'],
  ['STEP'],
  ['SUCCEEDED'],
]
const kept: History = {
  said: [{ op: 'enqueue', id, key: 'one' }],
  jobs: [job],
  attempts: [
    { jobId: id, number: 1, worker: 'a', startedAt: at, endedAt: at, outcome: 'CRASHED', error: null },
    { jobId: id, number: 2, worker: 'b', startedAt: at, endedAt: at, outcome: 'SUCCEEDED', error: null },
  ],
  events: types.map(([type, data = {}], index) => {
    return { jobId: id, sequence: index + 1, at, type, data: data as JobEvent['data'] }
  }),
  steps: [
    { jobId: id, name: 'step 1', attempt: 1, result: 1 },
    { jobId: id, name: 'step 2', attempt: 2, result: 2 },
  ],
  effects: [
    { serial: 1, job: id, step: 'step 1', attempt: 1 },
    { serial: 2, job: id, step: 'step 2', attempt: 2 },
  ],
  readings: [{ jobId: id, sequences: [1, 2, 3, 5, 6, 7, 8] }],
}

describe('the checker', () => {
  it('finds nothing where every promise was kept', () => {
    expect(findViolations(kept)).toEqual([])
  })

  const broken: Record<string, [Partial<History>, RegExp]> = {
    'a lost job': [
      { jobs: [], events: [], attempts: [], steps: [], effects: [], readings: [] },
      /acknowledged .* lost/,
    ],
    'a job that never ends': [{ jobs: [{ ...job, state: 'RUNNING' }] }, /left RUNNING/],
    'a second job of one key': [
      { said: [...kept.said, { op: 'enqueue', id: 'b0', key: 'one' }], jobs: [job, { ...job, id: 'b0' }] },
      /key one made two jobs/,
    ],
    'a cancel that left nothing': [{ said: [{ op: 'cancel', id, state: 'CANCELLING' }] }, /left nothing/],
    'a retry that left nothing': [{ said: [{ op: 'retry', id, state: 'QUEUED' }] }, /retried 1 times .* show 0/],
    'a wrong answer': [{ said: [{ op: 'wrong', message: 'deadlock detected' }] }, /deadlock/],
    'a double commit': [
      { effects: [...kept.effects, { serial: 3, job: id, step: 'step 2', attempt: 2 }] },
      /step 2 .* committed twice/,
    ],
    'a step of a zombie': [
      {
        effects: [kept.effects[1]!, kept.effects[0]!].map((effect, index) => ({ ...effect, serial: index })),
      },
      /attempt 1 .* wrote after a later one/,
    ],
    'a checkpoint without its effect': [{ effects: kept.effects.slice(0, 1) }, /committed without its effect/],
    'an effect without its checkpoint': [{ steps: kept.steps.slice(0, 1) }, /checkpoint says otherwise/],
    'a wrong sum': [{ jobs: [{ ...job, result: { sum: 4 } }] }, /the sum 4/],
    'a gap of events': [{ events: kept.events.filter((event) => event.sequence !== 4) }, /event 4 .* is missing/],
    'a move along no arrow': [
      { events: kept.events.map((event) => (event.sequence === 5 ? { ...event, type: 'BLOCKED' } : event)) },
      /moved from BLOCKED to RUNNING/,
    ],
    'a voice of work that does not run': [
      { events: kept.events.map((event) => (event.sequence === 6 ? { ...event, type: 'LOG' } : event)) },
      /was RETRYING when event 6 said LOG/,
    ],
    'an attempt without an end': [
      { attempts: [{ ...kept.attempts[0]!, endedAt: null, outcome: null }, kept.attempts[1]!] },
      /attempt 1 .* has no end/,
    ],
    'two successes': [
      { attempts: kept.attempts.map((attempt) => ({ ...attempt, outcome: 'SUCCEEDED' as const })) },
      /SUCCEEDED after SUCCEEDED, SUCCEEDED/,
    ],
    'a reader with a gap': [{ readings: [{ jobId: id, sequences: [1, 2, 3, 5, 6, 8] }] }, /missed event 7/],
    'a reader with a repeat': [{ readings: [{ jobId: id, sequences: [1, 2, 2, 3, 5, 6, 7, 8] }] }, /twice/],
  }
  for (const [name, [change, says]] of Object.entries(broken))
    it(`finds ${name}`, () => {
      expect(findViolations({ ...kept, ...change }).join('\n')).toMatch(says)
    })
})
