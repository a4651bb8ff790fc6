import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../platform/database.ts'
import { InklingError, isInklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import type { Keeper, SentBatch } from './admission.ts'
import { hash } from './cache.ts'
import { collectAnswer } from './collected-answer.ts'
import { type CompletionEnd, type CompletionInput, noUsage } from './completion.ts'
import { type AnswerEnd, type Answering, type Asked, createAnswer } from './completion-answer.ts'
import { checkInput } from './completion-input.ts'
import { type CompletionPage, createCompletionStore, type StoredCompletion } from './completion-store.ts'
import { countCompletion } from './meter.ts'
import { createPace } from './pace.ts'
import { canCollect, elsewhere, replay } from './replay.ts'
import { type CompletionReader, Transcript } from './transcript.ts'
import type { ViewerRates } from './viewer-rates.ts'

export interface CompletionsOptions extends Answering {
  readonly database: Database
  readonly rates: ViewerRates
  /** How long an answer goes on after its last reader has gone, for who comes back; 0 stops at once. */
  readonly graceMs?: number
  /** How long an answer can be resumed from memory after its end; later its row answers. */
  readonly keptMs?: number
  /** Answers under way at once, in this process. */
  readonly most?: number
  readonly slowReaderMs?: number
}

/** The answers of this process: begun once, read by many, stopped, resumed. */
export interface Completions {
  /**
   * Begins an answer, or joins the one of that id, and reads it from a sequence on. Throws BAD_USER_INPUT, RATE_LIMITED,
   * LLM_OVERLOADED, or COMPLETION_STATE when the id stands for another question; whatever goes wrong later is an event.
   */
  ask(input: CompletionInput, viewer: Viewer, after?: number): Promise<AskedReader>
  /** Reads an answer from a sequence on. Throws NOT_FOUND, also for the answers of others. */
  follow(id: string, viewer: Viewer, after?: number): Promise<CompletionReader>
  /** Ends an answer: its provider is told within a second. Throws NOT_FOUND. An answer that is over stays as it is. */
  stop(id: string, viewer: Viewer): Promise<StoredCompletion>
  /** A completion of the viewer, waiting until it is written down. Throws NOT_FOUND. */
  ended(id: string, viewer: Viewer): Promise<StoredCompletion>
  /** Null: there is none, or it is somebody else's. A completion under way may have no row yet. */
  find(id: string, viewer: Viewer): Promise<StoredCompletion | null>
  list(viewer: Viewer, page: CompletionPage): Promise<{ completions: StoredCompletion[]; hasNext: boolean }>
  /** Stops what runs and waits until it is settled and written. */
  close(): Promise<void>
}

/** The reader of who asked. */
export interface AskedReader extends CompletionReader {
  /** Leaves without the wish to come back: an answer that nobody else reads ends at once. */
  abandon(): void
}

interface Running {
  readonly id: string
  readonly input: CompletionInput
  readonly viewer: Viewer
  readonly fingerprint: string
  readonly transcript: Transcript
  readonly startedAt: Date
  readonly stop: AbortController
  /** Why it was stopped. */
  reason: Extract<CompletionEnd, 'STOPPED' | 'ABANDONED'>
  grace: NodeJS.Timeout | null
  /** Where it lies at a provider that answers within a day: it goes on without a reader, and without this process. */
  sent: SentBatch | null
  /** Never rejects. */
  written: Promise<void>
  /** Whether its row has the whole of it. */
  isWritten: boolean
}

const RETRY_MS = [50, 500, 2_000]
/** Text of an answer that is kept in memory after its end, in UTF-16 units; of a longer one the row answers at once. */
const MOST_KEPT = 64 * 1024

export function createCompletions(options: CompletionsOptions): Completions {
  const { database, log, rates, router, graceMs = 15_000, keptMs = 60_000, most = 2_000, slowReaderMs } = options
  const place = { owner: randomUUID(), isAlone: database.embedded }
  const store = createCompletionStore(database, place.owner)
  const answer = createAnswer(options)
  const pace = createPace()
  /** Under way, or over so lately that a reader may resume from memory. */
  const known = new Map<string, Running>()
  let underWay = 0
  let isClosed = false

  const keyOf = (viewer: Viewer, id: string) => JSON.stringify([viewer.tenant, viewer.id, id])

  /** work: answers it into its transcript; by asking, unless it has been asked before. */
  function begin(
    id: string,
    input: CompletionInput,
    viewer: Viewer,
    fingerprint: string,
    work = run,
    startedAt = new Date(),
  ): Running {
    const key = keyOf(viewer, id)
    const transcript = new Transcript({
      id,
      joinMs: pace.joinMs,
      ...(slowReaderMs === undefined ? {} : { slowReaderMs }),
      onReaders: (count) => watch(running, count),
    })
    const running: Running = {
      ...{ id, input, viewer, fingerprint, transcript },
      startedAt,
      stop: new AbortController(),
      reason: 'STOPPED',
      grace: null,
      sent: null,
      written: Promise.resolve(),
      isWritten: false,
    }
    known.set(key, running)
    underWay++
    running.written = work(running).finally(() => {
      underWay--
      if (running.grace) clearTimeout(running.grace)
      const forget = () => known.get(key) === running && known.delete(key)
      if (running.isWritten && transcript.length > MOST_KEPT) forget()
      else setTimeout(forget, keptMs).unref()
    })
    return running
  }

  /** Nobody reads: the answer goes on for the grace, so that whoever lost the connection can come back. */
  function watch(running: Running, readers: number): void {
    if (running.grace) clearTimeout(running.grace)
    running.grace = null
    if (readers > 0 || running.transcript.end || running.sent) return
    if (graceMs === 0) abort(running, 'ABANDONED')
    else running.grace = setTimeout(() => abort(running, 'ABANDONED'), graceMs).unref()
  }
  function abort(running: Running, reason: Running['reason']): void {
    if (running.stop.signal.aborted) return
    running.reason = reason
    running.stop.abort()
    running.transcript.hurry()
  }

  async function run(running: Running): Promise<void> {
    const { input } = running
    if (input.id !== undefined && !(await claim(running))) return
    const keeper: Keeper = { sent: (sent) => noteSent(running, sent), isLeft: () => isLeft(running) }
    await conclude(running, await answer({ ...askedOf(running), ...(input.id === undefined ? {} : { keeper }) }))
  }
  const askedOf = (running: Running): Asked => ({
    ...running,
    signal: running.stop.signal,
    stopReason: () => running.reason,
  })
  /** Lies at its provider for another process to collect: its row stays as it is. */
  const isLeft = ({ sent, stop }: Running) => isClosed && sent !== null && stop.signal.aborted

  function noteSent(running: Running, sent: SentBatch): void {
    running.sent = sent
    running.transcript.hurry()
    if (running.grace) clearTimeout(running.grace)
    running.grace = null
    store.noteBatch(running.viewer, running.id, sent).catch((error) => {
      log.error({ event: 'the place of an answer was not noted', completionId: running.id, error: String(error) })
    })
  }

  async function conclude(running: Running, end: AnswerEnd): Promise<void> {
    const { transcript } = running
    if (isLeft(running)) return transcript.fail({ error: elsewhere(running.id) })
    if (end.type === 'FINISHED') countCompletion(end.source, end.finishReason)
    else countCompletion('NONE', end.error.code)
    running.isWritten = await write(running, end) // before its end is told: who hears of it may ask for it
    if (end.type === 'FINISHED') transcript.finish(end)
    else transcript.fail(end)
  }

  /** A completion that the client named has a row from its start: neither a retry elsewhere nor one after a crash pays again. */
  async function claim(running: Running): Promise<boolean> {
    const { id, viewer, fingerprint, input, startedAt, transcript } = running
    try {
      const earlier = await store.claim(viewer, { id, fingerprint, prompt: input.prompt ?? '', startedAt })
      if (!earlier) return true
      if (earlier.fingerprint !== fingerprint) throw otherQuestion(id)
      if (canCollect(earlier, place)) {
        await collect(running, earlier)
        return false
      }
      replay(earlier, transcript, place)
    } catch (error) {
      if (!isInklingError(error)) log.error({ event: 'completion not begun', completionId: id, error: String(error) })
      transcript.fail({ error: isInklingError(error) ? error : unavailable() })
    }
    return false
  }

  /** An earlier process, or another one, had sent the question in a batch. Whoever comes first writes the answer down; it is paid once. */
  async function collect(running: Running, { batch }: StoredCompletion): Promise<void> {
    running.sent = batch
    await conclude(running, await collectAnswer(options, askedOf(running), batch!))
  }

  async function write(
    { id, viewer, fingerprint, input, startedAt, transcript }: Running,
    end: AnswerEnd,
  ): Promise<boolean> {
    const isFinished = end.type === 'FINISHED'
    const completion = {
      ...{ id, fingerprint, startedAt },
      prompt: input.prompt ?? '',
      state: end.type,
      target: transcript.started?.target ?? null,
      label: transcript.started?.label ?? null,
      source: transcript.started?.source ?? null,
      text: transcript.text.toWellFormed(),
      toolCalls: transcript.toolCalls,
      finishReason: isFinished ? end.finishReason : null,
      error: isFinished ? null : { code: end.error.code, message: end.error.message, hint: end.error.hint },
      problem: isFinished ? end.problem : null,
      usage: isFinished ? end.usage : noUsage,
      costUsd: isFinished ? end.costUsd : 0,
      firstTokenMs: isFinished ? end.firstTokenMs : null,
      endedAt: new Date(),
    }
    for (const wait of [...RETRY_MS, null]) {
      try {
        await store.write(viewer, completion)
        return true
      } catch (error) {
        if (wait === null) log.error({ event: 'completion not written', completionId: id, error: String(error) })
        else await sleep(wait)
      }
    }
    return false
  }

  function readerOf(running: Running, after?: number): AskedReader {
    const reader = running.transcript.read(after)
    return Object.assign(reader, {
      abandon() {
        void reader.return()
        if (running.grace) abort(running, 'ABANDONED')
      },
    })
  }

  function present(viewer: Viewer, id: string, fingerprint: string): Running | null {
    const running = known.get(keyOf(viewer, id))
    if (!running) return null
    if (running.fingerprint !== fingerprint) throw otherQuestion(id)
    const { end, started } = running.transcript
    // What failed before anybody answered has cost nothing: asking again is asking anew.
    return end?.type === 'FAILED' && started === null ? null : running
  }

  function collected(row: StoredCompletion, viewer: Viewer): Running {
    const { id, prompt, fingerprint, startedAt } = row
    const known = present(viewer, id, fingerprint)
    if (known) return known
    const input: CompletionInput = { id, prompt, priority: 'batch', request: { messages: [] } }
    return begin(id, input, viewer, fingerprint, (running) => collect(running, row), startedAt)
  }

  async function get(viewer: Viewer, id: string): Promise<StoredCompletion> {
    const row = await store.find(viewer, id)
    if (row) return row
    throw new InklingError(
      'NOT_FOUND',
      `There is no completion "${id.slice(0, 100)}".`,
      'Ask for it first; it is seen by who asked.',
    )
  }

  return {
    async ask(input, viewer, after) {
      checkInput(input)
      const { id: given, priority: _priority, deadlineMs: _deadlineMs, ...question } = input
      const fingerprint = hash(question)
      const id = given ?? randomUUID()
      const joined = present(viewer, id, fingerprint)
      if (joined) return readerOf(joined, after)
      if (isClosed) throw unavailable()
      if (underWay >= most) throw overloaded(most)
      await rates.take(viewer)
      // The same id may have come again meanwhile.
      return readerOf(present(viewer, id, fingerprint) ?? begin(id, input, viewer, fingerprint), after)
    },
    async follow(id, viewer, after) {
      const running = known.get(keyOf(viewer, id))
      if (running) return running.transcript.read(after)
      const row = await get(viewer, id)
      if (canCollect(row, place)) return collected(row, viewer).transcript.read(after)
      const transcript = new Transcript({ id, joinMs: pace.joinMs })
      replay(row, transcript, place)
      return transcript.read(after)
    },
    async stop(id, viewer) {
      const running = known.get(keyOf(viewer, id))
      if (running) abort(running, 'STOPPED')
      await running?.written
      return get(viewer, id)
    },
    async ended(id, viewer) {
      await known.get(keyOf(viewer, id))?.written
      return get(viewer, id)
    },
    find: (id, viewer) => store.find(viewer, id),
    list: (viewer, page) => store.list(viewer, page),
    async close() {
      isClosed = true
      if ([...known.values()].some(({ sent, transcript }) => sent && !transcript.end)) (await router()).leaveBatches()
      for (const running of known.values()) abort(running, 'STOPPED')
      await Promise.all([...known.values()].map(({ written }) => written))
    },
  }
}

function otherQuestion(id: string): InklingError {
  return new InklingError(
    'COMPLETION_STATE',
    `The id ${id} stands for another question of yours.`,
    'Use a new id for a new question.',
  )
}

function overloaded(most: number): InklingError {
  return new InklingError('LLM_OVERLOADED', `${most} answers are under way already.`, 'Try again later.')
}

function unavailable(): InklingError {
  return new InklingError('UNAVAILABLE', 'Completions cannot be begun at the moment.', 'Try again.')
}
