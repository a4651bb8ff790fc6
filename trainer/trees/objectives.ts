/** What boosting minimises. Scores, gradients and hessians are laid out score by score: (outputs, n). */
export type ObjectiveName = 'logistic' | 'softmax' | 'squared' | 'absolute' | 'poisson'

export interface Objective {
  readonly outputs: number
  /** The constant score that minimises the loss, shape (outputs,). */
  base(y: Float32Array, weights: Float32Array | null): Float64Array
  /** First and second derivatives for all outputs. */
  derive(scores: Float64Array, y: Float32Array, weights: Float32Array | null, g: Float32Array, h: Float32Array): void
  /** Mean loss per unit of weight. */
  loss(scores: Float64Array, y: Float32Array, weights: Float32Array | null): number
  /** Replaces a leaf's Newton step where the loss has no curvature: the value that minimises it over the leaf's residuals. */
  readonly leafValue?: (residuals: Float64Array) => number
}

export function createObjective(name: ObjectiveName, classes: number): Objective {
  switch (name) {
    case 'logistic':
      return logistic
    case 'softmax':
      return softmax(classes)
    case 'squared':
      return squared
    case 'absolute':
      return absolute
    case 'poisson':
      return poisson
  }
}

/** Keeps the base score finite when one class is absent from a fold. */
const FLOOR = 1e-6

/** log(1 + e^z) without overflow. */
export function softplus(z: number): number {
  return z > 0 ? z + Math.log1p(Math.exp(-z)) : Math.log1p(Math.exp(z))
}

function meanOf(y: Float32Array, weights: Float32Array | null): number {
  let sum = 0
  let total = 0
  for (let i = 0; i < y.length; i++) {
    const w = weights ? weights[i]! : 1
    sum += w * y[i]!
    total += w
  }
  return total > 0 ? sum / total : 0
}

function meanLoss(n: number, weights: Float32Array | null, lossOf: (row: number) => number): number {
  let sum = 0
  let total = 0
  for (let i = 0; i < n; i++) {
    const w = weights ? weights[i]! : 1
    sum += w * lossOf(i)
    total += w
  }
  return total > 0 ? sum / total : 0
}

const logistic: Objective = {
  outputs: 1,
  base(y, weights) {
    const mean = Math.min(1 - FLOOR, Math.max(FLOOR, meanOf(y, weights)))
    return Float64Array.of(Math.log(mean / (1 - mean)))
  },
  derive(scores, y, weights, g, h) {
    for (let i = 0; i < y.length; i++) {
      const p = 1 / (1 + Math.exp(-scores[i]!))
      const w = weights ? weights[i]! : 1
      g[i] = w * (p - y[i]!)
      h[i] = w * p * (1 - p)
    }
  },
  loss: (scores, y, weights) => meanLoss(y.length, weights, (i) => softplus(scores[i]!) - y[i]! * scores[i]!),
}

/** The hessian's factor K / (K - 1) makes two classes step as the binary objective does (Friedman 2001, eq. 32). */
function softmax(classes: number): Objective {
  const factor = classes / Math.max(1, classes - 1)
  const shares = new Float64Array(classes)
  function fillShares(scores: Float64Array, n: number, i: number): number {
    let top = Number.NEGATIVE_INFINITY
    for (let k = 0; k < classes; k++) top = Math.max(top, scores[k * n + i]!)
    let sum = 0
    for (let k = 0; k < classes; k++) {
      shares[k] = Math.exp(scores[k * n + i]! - top)
      sum += shares[k]!
    }
    for (let k = 0; k < classes; k++) shares[k]! /= sum
    return top + Math.log(sum)
  }
  return {
    outputs: classes,
    base(y, weights) {
      const out = new Float64Array(classes)
      for (let k = 0; k < classes; k++) {
        const share = meanLoss(y.length, weights, (i) => (y[i] === k ? 1 : 0))
        out[k] = Math.log(Math.max(FLOOR, share))
      }
      return out
    },
    derive(scores, y, weights, g, h) {
      const n = y.length
      for (let i = 0; i < n; i++) {
        fillShares(scores, n, i)
        const w = weights ? weights[i]! : 1
        for (let k = 0; k < classes; k++) {
          const p = shares[k]!
          g[k * n + i] = w * (p - (y[i] === k ? 1 : 0))
          h[k * n + i] = w * factor * p * (1 - p)
        }
      }
    },
    loss(scores, y, weights) {
      const n = y.length
      return meanLoss(n, weights, (i) => fillShares(scores, n, i) - scores[y[i]! * n + i]!)
    },
  }
}

const squared: Objective = {
  outputs: 1,
  base: (y, weights) => Float64Array.of(meanOf(y, weights)),
  derive(scores, y, weights, g, h) {
    for (let i = 0; i < y.length; i++) {
      const w = weights ? weights[i]! : 1
      g[i] = w * (scores[i]! - y[i]!)
      h[i] = w
    }
  },
  loss: (scores, y, weights) => meanLoss(y.length, weights, (i) => (scores[i]! - y[i]!) ** 2),
}

export function medianOf(values: Float64Array): number {
  if (values.length === 0) return 0
  const sorted = values.slice().sort()
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

const absolute: Objective = {
  outputs: 1,
  base: (y) => Float64Array.of(medianOf(Float64Array.from(y))),
  derive(scores, y, weights, g, h) {
    for (let i = 0; i < y.length; i++) {
      const w = weights ? weights[i]! : 1
      g[i] = w * Math.sign(scores[i]! - y[i]!)
      h[i] = w
    }
  },
  loss: (scores, y, weights) => meanLoss(y.length, weights, (i) => Math.abs(scores[i]! - y[i]!)),
  leafValue: medianOf,
}

/** Scores are logarithms of the rate. */
const poisson: Objective = {
  outputs: 1,
  base: (y, weights) => Float64Array.of(Math.log(Math.max(FLOOR, meanOf(y, weights)))),
  derive(scores, y, weights, g, h) {
    for (let i = 0; i < y.length; i++) {
      const w = weights ? weights[i]! : 1
      const rate = Math.exp(Math.min(30, scores[i]!))
      g[i] = w * (rate - y[i]!)
      h[i] = w * rate
    }
  },
  loss: (scores, y, weights) =>
    meanLoss(y.length, weights, (i) => Math.exp(Math.min(30, scores[i]!)) - y[i]! * scores[i]!),
}
