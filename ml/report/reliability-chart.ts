import type { ReliabilityBin } from '../../trainer/metrics.ts'
import { chart } from './plots.ts'

type Bin = Pick<ReliabilityBin, 'said' | 'seen' | 'rows'>

/** Said against happened; a number's range is its own, a probability's starts at 0. Empty without bins. */
export function reliabilityChart(reliability: readonly Bin[], isProbability: boolean): string {
  const values = reliability.flatMap((bin) => [bin.said, bin.seen])
  if (values.length === 0) return ''
  const low = isProbability ? 0 : Math.min(...values)
  const high = isProbability ? Math.min(1, 1.08 * Math.max(...values)) : Math.max(...values)
  return chart(
    {
      title: 'Reliability: on the line is calibrated',
      x: 'said',
      y: 'happened',
      xRange: [low, high],
      yRange: [low, high],
    },
    {
      reference: [
        [low, low],
        [high, high],
      ],
      lines: [reliability.map((bin) => [bin.said, bin.seen] as const)],
      dots: reliability.map((bin) => ({
        at: [bin.said, bin.seen] as const,
        r: 4,
        says: `${bin.rows} rows: said ${shown(bin.said)}, happened ${shown(bin.seen)}`,
      })),
    },
  )
}

const shown = (value: number) => String(Number(value.toPrecision(4)))
