import { InklingError, messageOf } from '../platform/errors.ts'
import { type SentBatch, settle } from './admission.ts'
import { noUsage } from './completion.ts'
import type { AnswerEnd, Answering, Asked } from './completion-answer.ts'
import type { Part } from './provider.ts'
import type { AttemptOutcome } from './route.ts'

/**
 * Writes an answer into its transcript that a process had asked for in a batch and did not live to see, and settles it. Settling is done
 * once, whoever collects it, so that several may. Never rejects.
 */
export async function collectAnswer(
  { router, budgets, log }: Answering,
  asked: Asked,
  sent: SentBatch,
): Promise<AnswerEnd> {
  const { transcript, viewer, input, id, signal, startedAt, stopReason } = asked
  const account = { viewer, prompt: input.prompt ?? '', completionId: id }
  const pay = async (outcome: AttemptOutcome, usage = noUsage, costUsd = 0) =>
    settle(await budgets.reservation(sent.reservationId), { outcome, usage, costUsd }, account, log)
  const durationMs = () => Date.now() - startedAt.getTime()
  const place = { target: sent.target, label: null, source: 'CALL' } as const
  try {
    const { parts, costUsd } = await (await router()).collect(sent.target, sent, signal)
    transcript.start(place)
    for (const part of parts) {
      if (part.type === 'text') transcript.addText(part.text)
      if (part.type === 'toolCall')
        transcript.addCall({ id: part.id, name: part.name, argumentsJson: part.argumentsJson })
    }
    const { reason, usage } = parts.at(-1) as Part & { type: 'finish' }
    await pay('COMPLETE', usage ?? noUsage, costUsd)
    const taken = durationMs()
    const figures = { usage: usage ?? noUsage, costUsd: costUsd || 0, firstTokenMs: taken, durationMs: taken }
    return { type: 'FINISHED', finishReason: reason, ...place, ...figures, problem: null }
  } catch (error) {
    if (signal.aborted) {
      // The batch goes on, and the provider charges for the answer: the estimate is what is known of it.
      await pay('ABORTED', noUsage, Number.NaN)
      const figures = { usage: noUsage, costUsd: 0, firstTokenMs: null, durationMs: durationMs() }
      return { type: 'FINISHED', finishReason: stopReason(), ...place, ...figures, problem: null }
    }
    await pay('FAILED')
    const message = `The batch came back without an answer: ${messageOf(error)}`
    return { type: 'FAILED', error: new InklingError('LLM_UNAVAILABLE', message, 'Ask again; it has cost nothing.') }
  }
}
