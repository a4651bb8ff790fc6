import { type Card, figure, type Part } from './card.ts'

/** The card as GitHub-flavoured Markdown. */
export function markdownCard({ title, subtitle, tiles, sections }: Card): string {
  const lines = [`# ${plain(title)}`, '', plain(subtitle), '']
  if (tiles.length > 0) {
    lines.push(
      ...tiles.map((tile) => `- **${plain(tile.title)}** ${tile.value}${tile.small ? ` (${plain(tile.small)})` : ''}`),
      '',
    )
  }
  for (const section of sections)
    lines.push(`## ${plain(section.title)}`, '', ...section.parts.flatMap((part) => [...linesOf(part), '']))
  return `${lines.join('\n').trimEnd()}\n`
}

function linesOf(part: Part): string[] {
  if (part.kind === 'text') return [plain(part.text)]
  if (part.kind === 'list') return part.items.map((item) => `- ${plain(item)}`)
  if (part.kind === 'table') return table(part.head, part.rows, part.numbersFrom)
  if (part.kind === 'bars')
    return table(
      ['feature', 'importance'],
      part.entries.map(({ name, value }) => [name, value]),
      1,
    )
  const rows = part.bins.map((bin) => [bin.low, bin.high, bin.rows, bin.said, bin.seen].map(figure))
  return table(['from', 'to', 'rows', 'said', 'happened'], rows, 0)
}

function table(head: readonly string[], rows: readonly (readonly string[])[], numbersFrom: number): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => plain(cell)).join(' | ')} |`
  return [line(head), `|${head.map((_, at) => (at >= numbersFrom ? ' ---: ' : ' --- ')).join('|')}|`, ...rows.map(line)]
}

/** A name or reason out of the database must not become markup of the page that shows the card. */
function plain(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').replace(/[\\*_[\]<>|#]/g, (sign) => `\\${sign}`)
}
