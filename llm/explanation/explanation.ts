import { type ErrorCode, InklingError, isInklingError } from '../../platform/errors.ts'
import type { RequestContext } from '../../platform/request.ts'
import type { CompletionEnd, CompletionEvent } from '../completion.ts'
import type { Completions } from '../completions.ts'
import type { Usage } from '../provider.ts'
import { type CheckedSentence, createChecker } from './checker.ts'
import type { PredictionFacts, PredictionKey, ReasonsOf } from './facts.ts'
import { EXPLANATION_PROMPT, explanationRequest } from './prompt.ts'

export type ExplanationEvent =
  | (Pick<PredictionFacts, 'model' | 'probability' | 'riskLevel' | 'reasons'> & {
      readonly type: 'STARTED'
      readonly sequence: 1
      readonly target: string
      readonly label: string | null
    })
  | (CheckedSentence & { readonly type: 'SENTENCE'; readonly sequence: number })
  | {
      readonly type: 'FINISHED'
      readonly sequence: number
      readonly finishReason: CompletionEnd
      readonly usage: Usage
      readonly costUsd: number
      /** Sentences that were not shown, because they spoke of something that was not given. */
      readonly dropped: number
    }
  | {
      readonly type: 'FAILED'
      readonly sequence: number
      readonly error: Pick<InklingError, 'code' | 'message' | 'hint'>
    }

/** Explains a prediction sentence by sentence; each is checked before it is shown. Errors are events. */
export function explain(
  { completions, reasonsOf }: { readonly completions: Completions; readonly reasonsOf: ReasonsOf },
  wanted: PredictionKey & { readonly language: string },
  request: RequestContext,
): AsyncIterableIterator<ExplanationEvent> {
  const ready: ExplanationEvent[] = []
  let sequence = 0
  let facts: PredictionFacts | null = null
  let answer: AsyncIterableIterator<CompletionEvent> | null = null
  let checker: ReturnType<typeof createChecker> | null = null
  let isOver = false

  async function open(): Promise<void> {
    facts = await reasonsOf(wanted, request)
    if (facts.reasons.length === 0) {
      throw new InklingError(
        'NOT_FOUND',
        'The prediction has no reasons to explain.',
        'A stored score or a rule has none.',
      )
    }
    checker = createChecker(facts)
    const asked = { request: explanationRequest(facts, wanted.language), prompt: EXPLANATION_PROMPT, task: 'explain' }
    const opened = await completions.ask(asked, request.viewer)
    if (isOver) await opened.return?.()
    answer = opened
  }
  const show = (sentences: readonly CheckedSentence[]) => {
    for (const sentence of sentences) ready.push({ type: 'SENTENCE', sequence: ++sequence, ...sentence })
  }
  function take(event: CompletionEvent): void {
    if (event.type === 'STARTED') {
      const { model, probability, riskLevel, reasons } = facts!
      const { target, label } = event
      sequence = 1
      ready.push({ type: 'STARTED', sequence: 1, model, probability, riskLevel, reasons, target, label })
    } else if (event.type === 'TOKENS') show(checker!.add(event.text))
    else if (event.type === 'FINISHED') {
      show(checker!.end())
      const { finishReason, usage, costUsd } = event
      ready.push({ type: 'FINISHED', sequence: ++sequence, finishReason, usage, costUsd, dropped: checker!.dropped })
    } else if (event.type === 'FAILED') ready.push({ type: 'FAILED', sequence: ++sequence, error: event.error })
    else if (event.type === 'CUT') {
      throw new InklingError('UNAVAILABLE' satisfies ErrorCode, 'The explanation was read too slowly.', 'Ask again.')
    }
  }
  async function next(): Promise<IteratorResult<ExplanationEvent>> {
    while (ready.length === 0 && !isOver) {
      try {
        if (!answer) await open()
        const { done, value } = await answer!.next()
        if (done) isOver = true
        else take(value)
      } catch (error) {
        if (!isInklingError(error)) throw error
        const { code, message, hint } = error
        ready.push({ type: 'FAILED', sequence: ++sequence, error: { code, message, hint } })
      }
    }
    const value = ready.shift()
    if (!value) return { done: true, value: undefined }
    if (value.type === 'FINISHED' || value.type === 'FAILED') leave()
    return { done: false, value }
  }
  function leave(): void {
    isOver = true
    void answer?.return?.()
  }
  const iterator: AsyncIterableIterator<ExplanationEvent> = {
    next,
    async return() {
      ready.length = 0
      leave()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]: () => iterator,
  }
  return iterator
}
