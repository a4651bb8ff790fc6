import { type Attributes, type Exception, type Span, type SpanOptions, trace } from '@opentelemetry/api'

/** All that the product tells a span: what any exporter could send. */
export interface RecordedSpan {
  readonly name: string
  readonly attributes: Attributes
  readonly errors: Exception[]
  ended: boolean
}

/** From now on keeps every span of this process in memory, until `trace.disable()`. */
export function recordSpans(): readonly RecordedSpan[] {
  const recorded: RecordedSpan[] = []
  const startActiveSpan = (name: string, { attributes = {} }: SpanOptions, work: (span: Span) => unknown) => {
    const record: RecordedSpan = { name, attributes, errors: [], ended: false }
    recorded.push(record)
    const span: Pick<Span, 'recordException' | 'setStatus' | 'end'> = {
      recordException: (error) => void record.errors.push(error),
      setStatus: () => span as Span,
      end: () => {
        record.ended = true
      },
    }
    return work(span as Span)
  }
  trace.setGlobalTracerProvider({ getTracer: () => ({ startActiveSpan }) as never })
  return recorded
}
