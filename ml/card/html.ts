import { bars, escapeHtml } from '../report/plots.ts'
import { reliabilityChart } from '../report/reliability-chart.ts'
import { reportStyle } from '../report/style.ts'
import { htmlTable } from '../report/table.ts'
import { type Card, figure, type Part } from './card.ts'

/** The card as one self-contained page: no script, no font or style from elsewhere, light and dark. */
export function htmlCard({ title, subtitle, tiles, sections }: Card): string {
  const shown = tiles.map(
    (tile) =>
      `<div class="tile"><span>${escapeHtml(tile.title)}</span><strong>${tile.value}</strong><small>${escapeHtml(tile.small).replace(' · ', '<br>')}</small></div>`,
  )
  const body = sections.map(
    (section) => `<section><h2>${escapeHtml(section.title)}</h2>\n${section.parts.map(htmlOf).join('\n')}\n</section>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · Inkling</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header><h1>${escapeHtml(title)}</h1><p>${escapeHtml(subtitle)}</p></header>
<div class="tiles">${shown.join('')}</div>
${body.join('\n')}
<footer>Model card written by Inkling from what was stored with the version.</footer>
</main>
</body>
</html>
`
}

function htmlOf(part: Part): string {
  if (part.kind === 'text') return `<p class="note">${escapeHtml(part.text)}</p>`
  if (part.kind === 'list') return `<ul>${part.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`
  if (part.kind === 'table') return htmlTable(part.head, part.rows, part.numbersFrom)
  if (part.kind === 'bars') return bars(part.entries)
  const rows = part.bins.map((bin) => [
    `${figure(bin.low)} – ${figure(bin.high)}`,
    bin.rows.toLocaleString('en'),
    figure(bin.said),
    figure(bin.seen),
  ])
  return `<div class="plots">${reliabilityChart(part.bins, true)}${htmlTable(['probability', 'rows', 'said', 'happened'], rows, 1)}</div>`
}
