import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { createRandom, type Random } from '../../trainer/random.ts'
import { type Actor, startActor } from './actors.ts'
import type { Said } from './history.ts'

export interface FaultRun {
  readonly seed: number
  readonly seconds: number
  readonly actors: readonly { readonly name: string; readonly [key: string]: unknown }[]
  /** The longest time from one fault to the next. */
  readonly paceMs: number
  /** A server whose connections are cut at random. */
  readonly url?: string
}

export interface Outcome {
  readonly said: readonly Said[]
  /** How often each fault was done. */
  readonly faults: Readonly<Record<string, number>>
  readonly exits: readonly (number | null)[]
  readonly lives: number
}

/**
 * Lets the actors work and torments them at random for so many seconds, then lets them be until all is over. The seed decides which faults
 * come in which order; what the machine makes of them differs from run to run.
 */
export async function runFaults(run: FaultRun): Promise<Outcome> {
  const random = createRandom(run.seed)
  const said: Said[] = []
  const faults: Record<string, number> = {}
  const actors = run.actors.map((options, at) => startActor(options, random.fork(at), said))
  const torments = run.url ? [...inProcess, cutConnections(run.url)] : inProcess
  await Promise.all(actors.map((actor) => actor.ready()))
  const until = performance.now() + run.seconds * 1000
  const frozen: Promise<void>[] = []
  for (let turn = 0; performance.now() < until; turn++) {
    const torment = torments[turn < torments.length ? turn : random.below(torments.length)]! // each once, whatever the seed
    faults[torment.name] = (faults[torment.name] ?? 0) + 1
    frozen.push(torment.afflict(actors[random.below(actors.length)]!, random))
    await pause(200 + random.below(run.paceMs - 200))
  }
  await Promise.all(frozen)
  for (const actor of actors) actor.quiet()
  const patience = performance.now() + 60_000
  // The last to say so has looked when nobody made requests any more.
  const settled = (actor: Actor) => said.some((line) => line.op === 'settled' && line.by === actor.name)
  while (performance.now() < patience && !actors.every(settled)) await pause(250)
  const exits = await Promise.all(actors.map((actor) => actor.end()))
  return { said, faults, exits, lives: actors.reduce((sum, actor) => sum + actor.lives, 0) }
}

interface Torment {
  readonly name: string
  afflict(actor: Actor, random: Random): Promise<void>
}

const inProcess: readonly Torment[] = [
  { name: 'kill', afflict: async (actor) => actor.kill() },
  { name: 'restart', afflict: async (actor) => actor.restart() },
  {
    name: 'freeze',
    async afflict(actor, random) {
      actor.freeze()
      await pause(200 + random.below(4000))
      actor.thaw()
    },
  },
]

/** Ends some connections of anybody to this database, in whatever they are doing. */
function cutConnections(url: string): Torment {
  return {
    name: 'cut',
    async afflict(_actor, random) {
      const client = new pg.Client({ connectionString: url, application_name: 'faults' })
      await client.connect()
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
           WHERE datname = current_database() AND application_name <> 'faults' ORDER BY random() LIMIT $1) t`,
        [1 + random.below(6)],
      )
      await client.end()
    },
  }
}
