import type { IncomingMessage } from 'node:http'
import { messageOf } from '../../platform/errors.ts'
import { ProviderError } from '../provider.ts'
import type { Bypass } from './bypass.ts'
import { createFrames, type Frame, written } from './frames.ts'

export interface BodyOptions {
  /** Beyond so many the reply is broken off. */
  readonly mostBytes: number
  readonly signal: AbortSignal | null
  /** How long an answer's stream is left unread after each look at it. */
  joinMs(): number
  /** For text, round the package that reads this body. */
  readonly bypass: Bypass | undefined
}

/**
 * The reply's bytes, not faster than they are read. The first text of an answer goes on at once; later the stream is looked at
 * every few milliseconds, and what has come meanwhile goes on as one. What came before a connection broke is read before that is told.
 */
export function bodyOf(response: IncomingMessage, options: BodyOptions): ReadableStream<Uint8Array> {
  const { mostBytes, signal, joinMs, bypass } = options
  const frames = response.headers['content-type']?.startsWith('text/event-stream') ? createFrames() : null
  let bytes = 0
  let isOver = false
  let isDue = false
  let rest: NodeJS.Timeout | null = null
  let failure: unknown = null
  /** What came since the last look. */
  let unseen: Buffer[] = []

  const joined = (): readonly Frame[] => {
    frames!.add(unseen.length === 1 ? unseen[0]! : Buffer.concat(unseen))
    unseen = []
    return frames!.take()
  }

  const start = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    const pass = (part: Uint8Array) => {
      if (part.length > 0) controller.enqueue(part)
      if (!isWanted(controller)) response.pause()
    }
    const enqueue = (events: string) => pass(Buffer.from(events))
    const hand = (seen: readonly Frame[]) => {
      if (bypass) bypass.pass(seen, enqueue)
      else enqueue(seen.map(written).join(''))
    }
    const look = () => {
      isDue = false
      if (isOver) return
      hand(joined())
      if (!frames!.hasText) return
      response.pause()
      rest = setTimeout(() => {
        rest = null
        if (isWanted(controller)) response.resume()
      }, joinMs())
    }
    const end = () => {
      isOver = true
      if (rest) clearTimeout(rest)
      if (frames) hand([...joined(), frames.rest()])
    }
    const fail = (error: unknown) => {
      if (isOver) return
      isOver = true // what is read from here on is no event any more
      for (let part = response.read(); part !== null && frames; part = response.read()) unseen.push(part)
      end()
      if (signal?.aborted) controller.error(error)
      else if (isWanted(controller)) tell(controller, error)
      else failure = error
      response.destroy()
    }
    response.on('data', (part: Buffer) => {
      if (isOver) return
      bytes += part.length
      if (bytes > mostBytes) return fail(new ProviderError('TOO_LARGE', `The reply is longer than ${mostBytes} bytes.`))
      if (!frames) return pass(part)
      unseen.push(part)
      if (!isDue) setImmediate(look)
      isDue = true
    })
    response.on('end', () => {
      if (isOver) return
      end()
      controller.close()
    })
    response.on('error', (error) =>
      fail(
        signal?.aborted ? signal.reason : new ProviderError('TRUNCATED', `The connection broke: ${messageOf(error)}`),
      ),
    )
    response.on('close', () =>
      fail(new ProviderError('TRUNCATED', 'The connection broke in the middle of the answer.')),
    )
    response.pause()
  }
  return new ReadableStream<Uint8Array>(
    {
      start,
      pull(controller) {
        if (failure) tell(controller, failure)
        else if (!rest) response.resume()
      },
      cancel() {
        isOver = true
        if (rest) clearTimeout(rest)
        response.destroy()
      },
    },
    { highWaterMark: 1 },
  )
}

/** An error overtakes what lies in the streams behind this one: it waits until that has come through. */
function tell(controller: ReadableStreamDefaultController, error: unknown): void {
  setImmediate(() => controller.error(error))
}

/** Whether everything that was handed over has been taken. */
function isWanted({ desiredSize }: ReadableStreamDefaultController): boolean {
  return (desiredSize ?? 0) > 0
}
