import { orderOf } from './order.ts'

/** probability = sigmoid(slope * margin + intercept); slope >= 0, so that the ranking stays. */
export interface PlattCalibration {
  readonly kind: 'platt'
  readonly slope: number
  readonly intercept: number
}

/** Straight lines between the knots, flat outside. margins and probabilities rise. */
export interface IsotonicCalibration {
  readonly kind: 'isotonic'
  readonly margins: readonly number[]
  readonly probabilities: readonly number[]
}

export type Calibration = PlattCalibration | IsotonicCalibration

export const sigmoid = (margin: number): number =>
  margin >= 0 ? 1 / (1 + Math.exp(-margin)) : Math.exp(margin) / (1 + Math.exp(margin))

export const logOdds = (probability: number): number => Math.log(probability) - Math.log1p(-probability)

/** The probability of one margin (log-odds before calibration). */
export function calibrate(calibration: Calibration, margin: number): number {
  if (calibration.kind === 'platt') return sigmoid(calibration.slope * margin + calibration.intercept)
  const { margins, probabilities } = calibration
  let low = 0
  let high = margins.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (margins[middle]! <= margin) low = middle + 1
    else high = middle
  }
  if (low === 0) return probabilities[0]!
  if (low === margins.length) return probabilities[low - 1]!
  const share = (margin - margins[low - 1]!) / (margins[low]! - margins[low - 1]!)
  return probabilities[low - 1]! + share * (probabilities[low]! - probabilities[low - 1]!)
}

/**
 * Platt's sigmoid on out-of-fold margins, by Newton steps with backtracking on overflow-free log-loss (Lin, Lin and Weng
 * 2007). The targets are pulled in by one pseudo-row per class, so that separable margins keep a finite slope.
 * Margins that do not rank the classes at all give slope 0 and the base rate. y: 0 or 1, shape (n,).
 */
export function fitPlatt(
  margins: ArrayLike<number>,
  y: ArrayLike<number>,
  weights?: ArrayLike<number>,
): PlattCalibration {
  let positives = 0
  let total = 0
  for (let row = 0; row < y.length; row++) {
    const weight = weights ? weights[row]! : 1
    total += weight
    if (y[row]! > 0.5) positives += weight
  }
  const ceiling = (positives + 1) / (positives + 2)
  const floor = 1 / (total - positives + 2)
  const rate = (positives + 1) / (total + 2)

  const lossOf = (slope: number, intercept: number): number => {
    let loss = 0
    for (let row = 0; row < y.length; row++) {
      const z = slope * margins[row]! + intercept
      const target = y[row]! > 0.5 ? ceiling : floor
      loss += (weights ? weights[row]! : 1) * (Math.max(z, 0) - target * z + Math.log1p(Math.exp(-Math.abs(z))))
    }
    return loss
  }

  let slope = 0
  let intercept = logOdds(rate)
  let loss = lossOf(slope, intercept)
  for (let step = 0; step < 100; step++) {
    let gradientSlope = 0
    let gradientIntercept = 0
    // the ridge keeps the matrix invertible when every margin is the same
    let curveSlope = 1e-12
    let curveBoth = 0
    let curveIntercept = 1e-12
    for (let row = 0; row < y.length; row++) {
      const weight = weights ? weights[row]! : 1
      const margin = margins[row]!
      const p = sigmoid(slope * margin + intercept)
      const miss = weight * (p - (y[row]! > 0.5 ? ceiling : floor))
      const curve = weight * p * (1 - p)
      gradientSlope += miss * margin
      gradientIntercept += miss
      curveSlope += curve * margin * margin
      curveBoth += curve * margin
      curveIntercept += curve
    }
    if (Math.abs(gradientSlope) < 1e-9 * total && Math.abs(gradientIntercept) < 1e-9 * total) break
    const determinant = curveSlope * curveIntercept - curveBoth * curveBoth
    if (!(determinant > 0)) break
    const stepSlope = (curveBoth * gradientIntercept - curveIntercept * gradientSlope) / determinant
    const stepIntercept = (curveBoth * gradientSlope - curveSlope * gradientIntercept) / determinant
    const descent = gradientSlope * stepSlope + gradientIntercept * stepIntercept
    let scale = 1
    let next = lossOf(slope + stepSlope, intercept + stepIntercept)
    while (next > loss + 1e-4 * scale * descent && scale > 1e-10) {
      scale /= 2
      next = lossOf(slope + scale * stepSlope, intercept + scale * stepIntercept)
    }
    if (!(next <= loss)) break
    slope += scale * stepSlope
    intercept += scale * stepIntercept
    const gained = loss - next
    loss = next
    if (gained <= 1e-14 * Math.abs(loss)) break
  }
  if (!(slope > 0) || !Number.isFinite(intercept)) return { kind: 'platt', slope: 0, intercept: logOdds(rate) }
  return { kind: 'platt', slope, intercept }
}

/**
 * Isotonic regression of the labels on out-of-fold margins by pool-adjacent-violators; equal margins are pooled first.
 * Lower log-loss is not promised: blocks without one class say `1/(rows+2)` instead of 0 or 1. y: 0 or 1, shape (n,).
 */
export function fitIsotonic(
  margins: ArrayLike<number>,
  y: ArrayLike<number>,
  weights?: ArrayLike<number>,
): IsotonicCalibration {
  const order = orderOf(margins)
  const blocks: Block[] = []
  for (let at = 0; at < order.length; ) {
    const margin = margins[order[at]!]!
    const block: Block = { low: margin, high: margin, weight: 0, sum: 0 }
    for (; at < order.length && margins[order[at]!]! === margin; at++) {
      const weight = weights ? weights[order[at]!]! : 1
      block.weight += weight
      block.sum += weight * (y[order[at]!]! > 0.5 ? 1 : 0)
    }
    if (block.weight === 0) continue
    blocks.push(block)
    while (blocks.length > 1 && mean(blocks.at(-2)!) >= mean(blocks.at(-1)!)) {
      const top = blocks.pop()!
      const below = blocks.at(-1)!
      blocks[blocks.length - 1] = {
        low: below.low,
        high: top.high,
        weight: below.weight + top.weight,
        sum: below.sum + top.sum,
      }
    }
  }
  const knots = blocks.flatMap((block) => {
    const p = Math.min(1 - 1 / (block.weight + 2), Math.max(1 / (block.weight + 2), mean(block)))
    return block.low === block.high ? [[block.low, p] as const] : [[block.low, p] as const, [block.high, p] as const]
  })
  if (knots.length === 0) return { kind: 'isotonic', margins: [0], probabilities: [0.5] }
  // clipping the outer blocks may undo their order where they are tiny
  let highest = 0
  return {
    kind: 'isotonic',
    margins: knots.map(([margin]) => margin),
    probabilities: knots.map(([, p]) => {
      highest = Math.max(highest, p)
      return highest
    }),
  }
}

interface Block {
  readonly low: number
  readonly high: number
  weight: number
  sum: number
}

const mean = (block: Block): number => block.sum / block.weight
