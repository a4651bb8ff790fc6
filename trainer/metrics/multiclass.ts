import { auc } from './ranking.ts'

const smallest = 2 ** -52

/** Mean negative log-likelihood in nats. y: class index; p: shape (n, classes), row-major, rows sum to 1. Null without rows. */
export function multiclassLogLoss(
  y: ArrayLike<number>,
  p: ArrayLike<number>,
  classes: number,
  weights?: ArrayLike<number>,
): number | null {
  let sum = 0
  let total = 0
  for (let row = 0; row < y.length; row++) {
    const weight = weights ? weights[row]! : 1
    sum -= weight * Math.log(Math.min(1 - smallest, Math.max(smallest, p[row * classes + y[row]!]!)))
    total += weight
  }
  return total > 0 ? sum / total : null
}

/** The most probable class of each row, the lower index on a tie. */
export function mostProbable(p: ArrayLike<number>, classes: number): Int32Array {
  return Int32Array.from({ length: p.length / classes }, (_, row) => {
    let best = 0
    for (let index = 1; index < classes; index++) {
      if (p[row * classes + index]! > p[row * classes + best]!) best = index
    }
    return best
  })
}

/** Share of rows whose most probable class is right. Null without rows. */
export function multiclassAccuracy(
  y: ArrayLike<number>,
  p: ArrayLike<number>,
  classes: number,
  weights?: ArrayLike<number>,
): number | null {
  let right = 0
  let total = 0
  mostProbable(p, classes).forEach((said, row) => {
    const weight = weights ? weights[row]! : 1
    if (said === y[row]) right += weight
    total += weight
  })
  return total > 0 ? right / total : null
}

/** Mean one-against-the-rest AUC over the classes that occur, as scikit-learn's roc_auc_score(multi_class='ovr'). Null where a class is absent. */
export function macroAuc(
  y: ArrayLike<number>,
  p: ArrayLike<number>,
  classes: number,
  weights?: ArrayLike<number>,
): number | null {
  let sum = 0
  for (let index = 0; index < classes; index++) {
    const area = auc(onlyClass(y, index), classScores(p, classes, index), weights)
    if (area === null) return null
    sum += area
  }
  return classes > 0 ? sum / classes : null
}

/** Mean F1 over the classes, a class never said and never seen counting 0, as scikit-learn's f1_score(average='macro'). Null without rows. */
export function macroF1(y: ArrayLike<number>, p: ArrayLike<number>, classes: number): number | null {
  if (y.length === 0) return null
  const right = new Float64Array(classes)
  const said = new Float64Array(classes)
  const seen = new Float64Array(classes)
  mostProbable(p, classes).forEach((choice, row) => {
    said[choice]!++
    seen[y[row]!]!++
    if (choice === y[row]) right[choice]!++
  })
  let sum = 0
  let counted = 0
  for (let index = 0; index < classes; index++) {
    if (said[index]! + seen[index]! === 0) continue
    sum += (2 * right[index]!) / (said[index]! + seen[index]!)
    counted++
  }
  return sum / counted
}

/** Mean squared distance to the one-hot truth, summed over classes (Brier 1950). Null without rows. */
export function multiclassBrier(y: ArrayLike<number>, p: ArrayLike<number>, classes: number): number | null {
  let sum = 0
  for (let row = 0; row < y.length; row++) {
    for (let index = 0; index < classes; index++) sum += (p[row * classes + index]! - (y[row] === index ? 1 : 0)) ** 2
  }
  return y.length > 0 ? sum / y.length : null
}

/** 1 where the label is this class, else 0. */
export function onlyClass(y: ArrayLike<number>, index: number): Float64Array {
  return Float64Array.from({ length: y.length }, (_, row) => (y[row] === index ? 1 : 0))
}

/** The column of one class out of (n, classes). */
export function classScores(p: ArrayLike<number>, classes: number, index: number): Float64Array {
  return Float64Array.from({ length: p.length / classes }, (_, row) => p[row * classes + index]!)
}
