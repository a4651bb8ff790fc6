import { escapeHtml } from './plots.ts'

/** A table; cells from `firstNumber` on, `numbers` of them, are set to the right. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  firstNumber: number,
  numbers = 99,
): string {
  const side = (at: number): string => (at >= firstNumber && at < firstNumber + numbers ? ' class="n"' : '')
  const cells = (tag: 'th' | 'td', row: readonly string[]): string =>
    `<tr>${row.map((cell, at) => `<${tag}${side(at)}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`
  return `<div class="scroll"><table><thead>${cells('th', head)}</thead><tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table></div>`
}
