/** Inline SVG plots without a script. Colours and fonts come from the page's style sheet by class. */

const size = 320
const pad = { left: 44, right: 12, top: 12, bottom: 36 }
const plotWidth = size - pad.left - pad.right
const plotHeight = size - pad.top - pad.bottom

type Point = readonly [x: number, y: number]

interface Axes {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly xRange?: readonly [low: number, high: number]
  readonly yRange?: readonly [low: number, high: number]
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** Curves, dots and a dashed reference line in one frame. Dots: radius by `r`. */
export function chart(
  axes: Axes,
  marks: {
    lines?: readonly (readonly Point[])[]
    reference?: readonly Point[]
    dots?: readonly { at: Point; r: number; says?: string }[]
  },
): string {
  const [xLow, xHigh] = axes.xRange ?? [0, 1]
  const [yLow, yHigh] = axes.yRange ?? [0, 1]
  const across = (x: number): number => pad.left + ((x - xLow) / (xHigh - xLow || 1)) * plotWidth
  const up = (y: number): number => pad.top + (1 - (y - yLow) / (yHigh - yLow || 1)) * plotHeight
  const path = (points: readonly Point[]): string =>
    points.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${across(x).toFixed(1)} ${up(y).toFixed(1)}`).join('')
  const grid = ticks(xLow, xHigh).map(
    (tick) =>
      `<line class="grid" x1="${across(tick)}" x2="${across(tick)}" y1="${pad.top}" y2="${size - pad.bottom}"/>` +
      `<text x="${across(tick)}" y="${size - pad.bottom + 14}" text-anchor="middle">${tickText(tick)}</text>`,
  )
  const rows = ticks(yLow, yHigh).map(
    (tick) =>
      `<line class="grid" x1="${pad.left}" x2="${size - pad.right}" y1="${up(tick)}" y2="${up(tick)}"/>` +
      `<text x="${pad.left - 6}" y="${up(tick) + 3.5}" text-anchor="end">${tickText(tick)}</text>`,
  )
  const dots = (marks.dots ?? []).map(
    ({ at: [x, y], r, says }) =>
      `<circle class="dot" cx="${across(x).toFixed(1)}" cy="${up(y).toFixed(1)}" r="${r.toFixed(1)}">${says ? `<title>${escapeHtml(says)}</title>` : ''}</circle>`,
  )
  return [
    `<figure><svg viewBox="0 0 ${size} ${size}" role="img" aria-label="${escapeHtml(axes.title)}">`,
    ...grid,
    ...rows,
    marks.reference ? `<path class="reference" d="${path(marks.reference)}"/>` : '',
    ...(marks.lines ?? []).map((points) => `<path class="line" d="${path(points)}"/>`),
    ...dots,
    `<text class="axis" x="${pad.left + plotWidth / 2}" y="${size - 4}" text-anchor="middle">${escapeHtml(axes.x)}</text>`,
    `<text class="axis" transform="translate(11 ${pad.top + plotHeight / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(axes.y)}</text>`,
    `</svg><figcaption>${escapeHtml(axes.title)}</figcaption></figure>`,
  ].join('')
}

/** Horizontal bars with their names and values. share: 0..1 of the full width. */
export function bars(entries: readonly { name: string; share: number; value: string }[]): string {
  const rowHeight = 22
  const nameWidth = 190
  const width = 680
  const room = width - nameWidth - 70
  const rows = entries.map(({ name, share, value }, at) => {
    const y = at * rowHeight
    const length = Math.max(1, share * room)
    const shown = name.length > 30 ? `${name.slice(0, 29)}…` : name
    return (
      `<text x="${nameWidth - 8}" y="${y + 15}" text-anchor="end">${escapeHtml(shown)}<title>${escapeHtml(name)}</title></text>` +
      `<rect class="bar" x="${nameWidth}" y="${y + 4}" width="${length.toFixed(1)}" height="${rowHeight - 8}" rx="2"/>` +
      `<text x="${nameWidth + length + 6}" y="${y + 15}">${escapeHtml(value)}</text>`
    )
  })
  return `<svg class="bars" viewBox="0 0 ${width} ${entries.length * rowHeight}" role="img">${rows.join('')}</svg>`
}

/** Every fold's value as a dot on one line, the mean as a bar. */
export function foldStrip(title: string, values: readonly { name: string; value: number }[], mean: number): string {
  const low = Math.min(...values.map((entry) => entry.value))
  const high = Math.max(...values.map((entry) => entry.value))
  const reach = (high - low || Math.abs(mean) * 0.01 || 1) * 0.2
  const width = 320
  const across = (value: number): number => 16 + ((value - low + reach) / (high - low + 2 * reach)) * (width - 32)
  const dots = values.map(
    ({ name, value }) =>
      `<circle class="dot" cx="${across(value).toFixed(1)}" cy="24" r="5"><title>fold ${escapeHtml(name)}: ${value.toPrecision(6)}</title></circle>`,
  )
  return [
    `<figure><svg viewBox="0 0 ${width} 58" role="img" aria-label="${escapeHtml(title)} by fold">`,
    `<line class="grid" x1="16" x2="${width - 16}" y1="24" y2="24"/>`,
    ...dots,
    `<line class="mean" x1="${across(mean).toFixed(1)}" x2="${across(mean).toFixed(1)}" y1="12" y2="36"/>`,
    `<text x="16" y="52">${tickText(low)}</text><text x="${width - 16}" y="52" text-anchor="end">${tickText(high)}</text>`,
    `</svg><figcaption>${escapeHtml(title)} by fold, mean ${tickText(mean)}</figcaption></figure>`,
  ].join('')
}

function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 5
  if (!(rough > 0)) return [low]
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!
  const all: number[] = []
  for (let tick = Math.ceil(low / step - 1e-9); tick * step <= high + 1e-9 * step; tick++) all.push(tick * step)
  return all
}

function tickText(value: number): string {
  if (Math.abs(value) >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  if (Math.abs(value) >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`
  return `${Number(value.toPrecision(4))}`
}
