import { StringDecoder } from 'node:string_decoder'

/**
 * Server-sent events on their way to who understands them. Neighbours that differ in nothing but one piece of text become one event
 * with both texts: what lies behind (streams, schemas, one object for each event) costs ten times what this does.
 */
export interface Frames {
  add(bytes: Buffer): void
  /** Everything that is whole, joined; '' where nothing is. */
  take(): string
  /** What is left when no more comes. */
  rest(): string
  /** Whether a piece of an answer was among them. */
  readonly hasText: boolean
}

/** Where a piece of text begins in an event of OpenAI's, Anthropic's and Gemini's protocol. Quotes within a text are escaped there. */
const OPENING =
  /"delta":\{(?:"role":"assistant",)?"(?:content|reasoning_content|reasoning)":"|"type":"text_delta","text":"|"parts":\[\{"text":"/
/** Random letters with which OpenAI hides the length of each event. */
const OBFUSCATION = /,"obfuscation":"\w*"/

/** Where an event ends; Gemini's lines end with a return as well. */
const END = /\r\n\r\n|\n\n/g

export function createFrames(): Frames {
  const decoder = new StringDecoder('utf8')
  let unread: string[] = []
  /** The last of what is unread: an end may come in pieces. */
  let tail = ''
  let out = ''
  let [before, text, after] = ['', '', '']
  let isOpen = false
  let hasText = false

  function close(): void {
    if (isOpen) out += before + text + after
    isOpen = false
  }
  function open(frame: string): boolean {
    const found = OPENING.exec(frame)
    if (!found) return false
    before = frame.slice(0, found.index + found[0].length)
    const end = endOfText(frame, before.length)
    text = frame.slice(before.length, end)
    after = frame.slice(end).replace(OBFUSCATION, '')
    return true
  }
  function take(frame: string): void {
    if (isOpen && frame.startsWith(before)) {
      const end = endOfText(frame, before.length)
      if (frame.endsWith(after) ? frame.length - after.length === end : isSame(frame, end)) {
        text += frame.slice(before.length, end)
        return
      }
    }
    close()
    isOpen = open(frame)
    hasText ||= isOpen && text !== ''
    if (!isOpen) out += frame
  }
  function isSame(frame: string, end: number): boolean {
    return OBFUSCATION.test(frame) && frame.slice(end).replace(OBFUSCATION, '') === after
  }

  return {
    add(bytes) {
      const piece = decoder.write(bytes)
      // An event may come in any number of pieces: only what is new is looked at.
      const isWhole = (tail + piece).search(END) >= 0
      unread.push(piece)
      tail = (tail + piece).slice(-3)
      if (!isWhole) return
      const all = unread.join('')
      let from = 0
      for (const { index, 0: end } of all.matchAll(END)) {
        take(all.slice(from, index + end.length))
        from = index + end.length
      }
      unread = from < all.length ? [all.slice(from)] : []
      tail = all.slice(from).slice(-3)
    },
    take() {
      close()
      const taken = out
      out = ''
      return taken
    },
    rest: () => unread.join('') + decoder.end(),
    get hasText() {
      return hasText
    },
  }
}

/** Where the JSON text ends that begins at a place: at the first quote that is not escaped. */
function endOfText(frame: string, from: number): number {
  for (let quote = frame.indexOf('"', from); quote >= 0; quote = frame.indexOf('"', quote + 1)) {
    let slashes = 0
    while (frame[quote - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return quote
  }
  return frame.length
}
