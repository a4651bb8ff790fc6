import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Viewer } from '../platform/viewer.ts'
import { createAdmission, type Keeper } from './admission.ts'
import type { Budgets } from './budget.ts'
import { type Cache, type CachedAnswer, isCacheable, keyOf, type Question } from './cache.ts'
import {
  type CompletionEnd,
  type CompletionFailed,
  type CompletionFinished,
  type CompletionInput,
  type CompletionSource,
  noUsage,
} from './completion.ts'
import type { Queue } from './queue.ts'
import type { RoutedPart, RouteOptions, Router } from './route.ts'
import { createSharedCall, type SharedCall } from './shared-call.ts'
import type { Transcript } from './transcript.ts'

/** What answers stand on. */
export interface Answering {
  router(): Promise<Router>
  readonly queue: Queue
  readonly budgets: Budgets
  readonly cache: Cache
  readonly log: Log
}

/** One question on its way. */
export interface Asked {
  readonly id: string
  readonly input: CompletionInput
  readonly viewer: Viewer
  readonly transcript: Transcript
  readonly startedAt: Date
  /** Aborted when it is to stop. */
  readonly signal: AbortSignal
  /** Keeps what lies at a provider in a batch. */
  readonly keeper?: Keeper
  /** Why it was stopped. */
  stopReason(): Extract<CompletionEnd, 'STOPPED' | 'ABANDONED'>
}

/** How an answer ended; its place in the transcript is not known yet. */
export type AnswerEnd = Omit<CompletionFinished, 'id' | 'sequence'> | Omit<CompletionFailed, 'id' | 'sequence'>

/** Answers questions into transcripts: from the cache, with others who ask the same, or by a call of its own. Never rejects. */
export type Answer = (asked: Asked) => Promise<AnswerEnd>

export function createAnswer({ router, queue, budgets, cache, log }: Answering): Answer {
  const calls = new Map<string, SharedCall>()

  function partsOf(asked: Asked, question: Question): { parts: AsyncIterable<RoutedPart>; source: CompletionSource } {
    const { viewer, input, id, signal } = asked
    const account = { viewer, prompt: input.prompt ?? '', completionId: id }
    const admit = createAdmission({ queue, budgets, log }, account, input.priority ?? 'interactive', asked.keeper)
    const start = async function* (stop: AbortSignal) {
      const routed = await router()
      yield* routed.stream(input.request, {
        ...question.options,
        isPatient: input.priority === 'batch',
        ...(input.deadlineMs === undefined ? {} : { deadlineMs: input.deadlineMs }),
        signal: stop,
        admit,
      })
    }
    if (!isCacheable(input.request)) return { parts: start(signal), source: 'CALL' }
    const key = `${keyOf(question)} ${viewer.id}`
    const present = calls.get(key)
    const call = present ?? createSharedCall(start, () => calls.get(key) === call && calls.delete(key))
    if (!present) calls.set(key, call)
    return { parts: call.join(signal), source: present ? 'SHARED' : 'CALL' }
  }

  async function answer(asked: Asked): Promise<AnswerEnd> {
    const { transcript, signal, viewer, input } = asked
    const question: Question = { tenant: viewer.tenant, request: input.request, options: optionsOf(asked) }
    if (isCacheable(input.request)) {
      const found = await cache.find(question, asked, signal)
      if (found) return repeat(found, asked)
    }
    const { parts, source } = partsOf(asked, question)
    let label: string | null = null
    for await (const part of parts) {
      if (part.type === 'started') {
        label = part.target.provider.label
        transcript.start({ target: part.target.name, label, source })
      } else if (part.type === 'text') transcript.addText(part.text)
      else if (part.type === 'toolCall') {
        transcript.addCall({ id: part.id, name: part.name, argumentsJson: part.argumentsJson })
      } else if (part.type === 'finish') {
        const end = endOf(part, asked, label, source)
        if (source === 'CALL') void keep(question, end, asked)
        return end
      }
      const room = transcript.room()
      if (room) await room
    }
    return stopped(asked, label, source)
  }

  async function keep(question: Question, end: AnswerEnd, asked: Asked): Promise<void> {
    const { transcript, input } = asked
    if (!isCacheable(input.request) || end.type !== 'FINISHED' || end.target === null) return
    if (end.finishReason !== 'STOP' && end.finishReason !== 'TOOL_CALLS') return
    const calls = transcript.toolCalls.map(({ id, name, argumentsJson }) => ({
      type: 'toolCall' as const,
      id,
      name,
      argumentsJson,
    }))
    const answer: CachedAnswer = {
      parts: [{ type: 'text', text: transcript.text }, ...calls],
      reason: end.finishReason,
      target: end.target,
      label: end.label,
      usage: end.usage,
    }
    await cache.keep(question, answer, asked)
  }

  return async (asked) => {
    try {
      return await answer(asked)
    } catch (error) {
      if (asked.signal.aborted) return stopped(asked, null, 'CALL')
      if (isInklingError(error)) return { type: 'FAILED', error }
      log.error({ event: 'completion failed', completionId: asked.id, error: messageOf(error) })
      return {
        type: 'FAILED',
        error: new InklingError(
          'INTERNAL',
          'The answer failed.',
          'Tell the operator the id of the completion; the log has the cause.',
        ),
      }
    }
  }
}

function optionsOf({ input, viewer }: Asked): Question['options'] {
  const { strategy, targets, task, isContinuable } = input
  return {
    ...(strategy === undefined ? {} : { strategy }),
    ...(targets === undefined ? {} : { targets }),
    ...(task === undefined ? {} : { task }),
    ...(isContinuable === undefined ? {} : { isContinuable }),
    key: viewer.id, // the same viewer stays on the same side of a split
  } satisfies RouteOptions
}

function repeat({ parts, reason, target, label }: CachedAnswer, { transcript, startedAt }: Asked): AnswerEnd {
  transcript.start({ target, label, source: 'CACHE' })
  for (const part of parts) {
    if (part.type === 'text') transcript.addText(part.text)
    else transcript.addCall({ id: part.id, name: part.name, argumentsJson: part.argumentsJson })
  }
  const durationMs = since(startedAt)
  const end = { finishReason: reason, usage: noUsage, costUsd: 0, firstTokenMs: durationMs, durationMs, problem: null }
  return { type: 'FINISHED', target, label, source: 'CACHE', ...end }
}

function endOf(
  { reason, target, usage, costUsd, firstTokenMs, problem }: Extract<RoutedPart, { type: 'finish' }>,
  { stopReason, startedAt }: Asked,
  label: string | null,
  source: CompletionSource,
): AnswerEnd {
  return {
    type: 'FINISHED',
    finishReason: reason === 'ABORTED' ? stopReason() : reason,
    target: target.name,
    label,
    source,
    // A shared call is on the account of who made it.
    usage: source === 'CALL' ? usage : noUsage,
    costUsd: source === 'CALL' ? costUsd : 0,
    firstTokenMs,
    durationMs: since(startedAt),
    problem: problem && `${problem.code}: ${problem.message}`,
  }
}

/** Stopped before anybody answered, or while others go on with the call that it shared. */
function stopped(
  { stopReason, startedAt, transcript }: Asked,
  label: string | null,
  source: CompletionSource,
): AnswerEnd {
  return {
    type: 'FINISHED',
    finishReason: stopReason(),
    target: transcript.started?.target ?? null,
    label,
    source,
    usage: noUsage,
    costUsd: 0,
    firstTokenMs: null,
    durationMs: since(startedAt),
    problem: null,
  }
}

function since(startedAt: Date): number {
  return Date.now() - startedAt.getTime()
}
