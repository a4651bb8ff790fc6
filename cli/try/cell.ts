const missingWords = new Set(['', 'na', 'n/a', '#n/a', 'nan', '-nan', 'null', 'none', '?', 'nil', '\\n', '<na>'])

/** Blank, NA, N/A, NaN, null, none, ? and \N say "not known". cell: trimmed. */
export function isMissing(cell: string): boolean {
  return cell.length <= 5 && missingWords.has(cell.toLowerCase())
}

const plainNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const leadingZero = /^[+-]?0\d/
const grouped = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/
const commaDecimal = /^[+-]?\d+,\d+$/

/**
 * The number that a trimmed cell spells, or NaN: 12, -3.5e4, and with a currency or per-cent sign or thousands separators
 * `$1,200.50`, `37 %`; `3,14` where the comma does not separate cells. `007` is a code, not a number.
 */
export function numberOf(cell: string, isCommaFree: boolean): number {
  if (plainNumber.test(cell)) return leadingZero.test(cell) && !cell.includes('.') ? Number.NaN : Number(cell)
  if (/^[+-]?inf(inity)?$/i.test(cell))
    return cell.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  const bare = cell.replace(/^([+-]?)[$€£¥]\s?/, '$1').replace(/\s?[%€]$/, '')
  if (bare !== cell && plainNumber.test(bare)) return Number(bare)
  if (isCommaFree && commaDecimal.test(bare)) return Number(bare.replace(',', '.'))
  return grouped.test(bare) ? Number(bare.replaceAll(',', '')) : Number.NaN
}

const isoMoment =
  /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/
const localMoment = /^(\d{1,2})[./](\d{1,2})[./](\d{4})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/

/** How dates with slashes are to be read: 3/4/2024 is 3 April or March 4. */
export type DateOrder = 'day-first' | 'month-first'

/** Milliseconds since the epoch of a date or date and time (UTC unless the cell says otherwise), or NaN. `31.12.2024` is day first; `12/31/2024` by `order`. */
export function momentOf(cell: string, order: DateOrder = 'month-first'): number {
  if (cell.length < 8 || cell.length > 40) return Number.NaN
  const iso = isoMoment.exec(cell)
  if (iso) return momentFrom(iso[1]!, iso[2]!, iso[3]!, iso[4], iso[5], iso[6]) - offsetOf(iso[7])
  const local = localMoment.exec(cell)
  if (!local) return Number.NaN
  const isDayFirst = cell.includes('.') || order === 'day-first'
  const [day, month] = isDayFirst ? [local[1]!, local[2]!] : [local[2]!, local[1]!]
  return momentFrom(local[3]!, month, day, local[4], local[5], local[6])
}

function momentFrom(year: string, month: string, day: string, hour = '0', minute = '0', second = '0'): number {
  const moment = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second)
  const date = new Date(moment)
  // 31 February rolls over instead of failing
  return date.getUTCMonth() === +month - 1 && date.getUTCDate() === +day ? moment : Number.NaN
}

function offsetOf(zone: string | undefined): number {
  if (!zone || zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000
}
