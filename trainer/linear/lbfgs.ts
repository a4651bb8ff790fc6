/** Pairs of steps remembered. */
const MEMORY = 12

/**
 * Minimises a smooth function in place by L-BFGS (Nocedal and Wright 2006, algorithm 7.4) with halving steps.
 * evaluate: returns the value at `at` and fills its gradient. Stops when no gradient entry exceeds `tolerance`, when the
 * value no longer falls, or after `most` steps. Returns the steps taken.
 */
export function minimise(
  at: Float64Array,
  evaluate: (at: Float64Array, gradient: Float64Array) => number,
  tolerance: number,
  most = 300,
): number {
  const size = at.length
  let gradient = new Float64Array(size)
  let value = evaluate(at, gradient)
  const nextAt = new Float64Array(size)
  let nextGradient = new Float64Array(size)
  const direction = new Float64Array(size)
  const steps: Float64Array[] = []
  const turns: Float64Array[] = []
  const inverse: number[] = []
  for (let step = 0; step < most; step++) {
    if (largest(gradient) <= tolerance) return step
    direction.set(gradient)
    const shares: number[] = []
    for (let i = steps.length - 1; i >= 0; i--) {
      shares[i] = inverse[i]! * dot(steps[i]!, direction)
      addScaled(direction, turns[i]!, -shares[i]!)
    }
    const last = steps.length - 1
    const scale =
      last < 0 ? 1 / Math.sqrt(dot(gradient, gradient)) : 1 / (inverse[last]! * dot(turns[last]!, turns[last]!))
    for (let j = 0; j < size; j++) direction[j]! *= scale
    for (let i = 0; i < steps.length; i++) {
      addScaled(direction, steps[i]!, shares[i]! - inverse[i]! * dot(turns[i]!, direction))
    }
    const slope = dot(gradient, direction)
    let length = 1
    let nextValue = Number.POSITIVE_INFINITY
    for (let halving = 0; halving < 40; halving++, length /= 2) {
      for (let j = 0; j < size; j++) nextAt[j] = at[j]! - length * direction[j]!
      nextValue = evaluate(nextAt, nextGradient)
      if (nextValue <= value - 1e-4 * length * slope) break
    }
    if (!(nextValue < value)) return step
    const moved = new Float64Array(size)
    const turned = new Float64Array(size)
    for (let j = 0; j < size; j++) {
      moved[j] = nextAt[j]! - at[j]!
      turned[j] = nextGradient[j]! - gradient[j]!
    }
    const curvature = dot(moved, turned)
    if (curvature > 1e-12) {
      steps.push(moved)
      turns.push(turned)
      inverse.push(1 / curvature)
      if (steps.length > MEMORY) {
        steps.shift()
        turns.shift()
        inverse.shift()
      }
    }
    const gained = value - nextValue
    at.set(nextAt)
    value = nextValue
    const spare = gradient
    gradient = nextGradient
    nextGradient = spare
    if (gained <= 1e-8 * Math.abs(value)) return step + 1
  }
  return most
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function addScaled(into: Float64Array, from: Float64Array, scale: number): void {
  for (let i = 0; i < into.length; i++) into[i]! += scale * from[i]!
}

function largest(values: Float64Array): number {
  let most = 0
  for (const value of values) most = Math.max(most, Math.abs(value))
  return most
}
