import { type Attributes, type Exception, SpanStatusCode, trace } from '@opentelemetry/api'
import { isInklingError } from './errors.ts'

const tracer = trace.getTracer('inkling')

/**
 * Runs work inside an OpenTelemetry span; costs next to nothing where no SDK is registered. Errors are recorded and rethrown;
 * those that are not ours by name alone.
 */
export function withSpan<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work()
    } catch (error) {
      span.recordException(exceptionOf(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
}

/** Messages of drivers and libraries quote values of rows: a trace gets their name and code. */
function exceptionOf(error: unknown): Exception {
  if (isInklingError(error)) return error
  if (!(error instanceof Error)) return { name: typeof error }
  return { name: error.name, ...('code' in error ? { code: String(error.code) } : {}) }
}
