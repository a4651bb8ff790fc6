/** Chance of a chi-square value at least this large: the upper regularised incomplete gamma function (Numerical Recipes, 6.2). */
export function chiSquareTail(value: number, degrees: number): number {
  if (!(value > 0) || degrees < 1) return 1
  const a = degrees / 2
  const x = value / 2
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = 1; n < 1000 && Math.abs(term) > Math.abs(sum) * 1e-12; n++) {
      term *= x / (a + n)
      sum += term
    }
    return Math.max(0, 1 - front * sum)
  }
  let b = x + 1 - a
  let c = 1e300
  let d = 1 / b
  let fraction = d
  for (let n = 1; n < 1000; n++) {
    const an = -n * (n - a)
    b += 2
    d = 1 / (an * d + b || 1e-300)
    c = b + an / c || 1e-300
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-12) break
  }
  return Math.min(1, front * fraction)
}

/** Lanczos' approximation, to 1e-10 and better. */
function logGamma(x: number): number {
  const coefficients = [
    76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 1.208650973866179e-3,
    -5.395239384953e-6,
  ]
  const tmp = x + 5.5
  let sum = 1.000000000190015
  for (const [at, coefficient] of coefficients.entries()) sum += coefficient / (x + at + 1)
  return (x + 0.5) * Math.log(tmp) - tmp + Math.log((2.5066282746310007 * sum) / x)
}

/**
 * Chance of a two-sample Kolmogorov-Smirnov distance at least this large (the asymptotic series with Stephens' correction). Of distances
 * between binned samples, which are never larger than the true ones, it errs towards no difference.
 */
export function kolmogorovTail(distance: number, n: number, m: number): number {
  if (n <= 0 || m <= 0) return 1
  const size = Math.sqrt((n * m) / (n + m))
  const lambda = (size + 0.12 + 0.11 / size) * distance
  if (lambda < 0.2) return 1
  let sum = 0
  for (let k = 1; k <= 100; k++) {
    const term = 2 * (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * lambda * lambda)
    sum += term
    if (Math.abs(term) < 1e-12) break
  }
  return Math.min(1, Math.max(0, sum))
}

/**
 * Which of many tests count at a false discovery rate (Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 1995):
 * of the tests it names, a share of at most `rate` is named by chance. In the order of the chances.
 */
export function discoveries(chances: readonly number[], rate: number): boolean[] {
  const order = chances.map((_, at) => at).sort((a, b) => chances[a]! - chances[b]!)
  let last = -1
  for (const [rank, at] of order.entries()) if (chances[at]! <= (rate * (rank + 1)) / chances.length) last = rank
  const found = new Array<boolean>(chances.length).fill(false)
  for (const at of order.slice(0, last + 1)) found[at] = true
  return found
}
