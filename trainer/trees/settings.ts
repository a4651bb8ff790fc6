/** How boosted trees grow. Plain numbers: they are stored with the version and in its receipt. */
export interface TreeSettings {
  /** Rounds of boosting at most; folds choose how many are kept. */
  readonly rounds: number
  readonly learningRate: number
  readonly leaves: number
  readonly depth: number
  /** Rows a leaf needs. */
  readonly minLeaf: number
  /** Sum of second derivatives a leaf needs. */
  readonly minHessian: number
  readonly l1: number
  readonly l2: number
  /** Share of the rows seen by each tree, drawn without replacement. */
  readonly rowShare: number
  /** Share of the columns seen by each tree. */
  readonly columnShare: number
  /** Added to the hessian of a level when levels are put in order: few rows, little voice. */
  readonly levelSmoothing: number
  /** Extra L2 of a split by levels, which has more freedom than a split by a threshold. */
  readonly levelL2: number
  /** Most levels that one split may name. */
  readonly levelLimit: number
  /** Rounds without improvement on the fold before growth stops. */
  readonly patience: number
}

export const defaultTreeSettings: TreeSettings = {
  rounds: 300,
  learningRate: 0.1,
  leaves: 31,
  depth: 32,
  minLeaf: 20,
  minHessian: 1e-3,
  l1: 0,
  l2: 1,
  rowShare: 1,
  columnShare: 1,
  levelSmoothing: 10,
  levelL2: 10,
  levelLimit: 64,
  patience: 25,
}
