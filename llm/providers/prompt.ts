import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4TextPart,
  LanguageModelV4ToolCallPart,
} from '@ai-sdk/provider'
import type { Content, Message } from '../provider.ts'

/** Our messages in the AI SDK's shape. Pieces that a role cannot hold are left out: an assistant sends no images. */
export function promptOf(messages: readonly Message[]): LanguageModelV4Prompt {
  return messages.map(messageOf)
}

function messageOf({ role, content }: Message): LanguageModelV4Message {
  switch (role) {
    case 'system':
      return { role, content: textOf(content) }
    case 'user':
      return { role, content: content.flatMap((piece) => userPart(piece)) }
    case 'assistant':
      return { role, content: content.flatMap((piece) => assistantPart(piece)) }
    case 'tool':
      return {
        role,
        content: content
          .filter((piece) => piece.type === 'toolResult')
          .map(({ id, name, text }) => ({
            type: 'tool-result',
            toolCallId: id,
            toolName: name,
            output: { type: 'text', value: text },
          })),
      }
  }
}

function userPart(piece: Content): (LanguageModelV4TextPart | LanguageModelV4FilePart)[] {
  if (piece.type === 'text') return [{ type: 'text', text: piece.text }]
  if (piece.type !== 'image') return []
  return [
    {
      type: 'file',
      mediaType: piece.mediaType,
      data: { type: 'data', data: piece.base64 },
    },
  ]
}

function assistantPart(piece: Content): (LanguageModelV4TextPart | LanguageModelV4ToolCallPart)[] {
  if (piece.type === 'text') return [{ type: 'text', text: piece.text }]
  if (piece.type !== 'toolCall') return []
  return [{ type: 'tool-call', toolCallId: piece.id, toolName: piece.name, input: parsed(piece.argumentsJson) }]
}

/** Arguments that are no JSON, which some LLMs write, go back as the text they were. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return { text: json }
  }
}

/** The text of a message, its pieces joined by newlines. */
export function textOf(content: readonly Content[]): string {
  return content
    .flatMap((piece) => (piece.type === 'text' ? [piece.text] : piece.type === 'toolResult' ? [piece.text] : []))
    .join('\n')
}
