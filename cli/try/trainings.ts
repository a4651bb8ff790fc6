import type { Artefact, LeaderboardRow } from '../../trainer/artefact.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import type { Choice, TrainOptions } from '../../trainer/options.ts'
import { train } from '../../trainer/train.ts'
import type { Plan } from './evaluation.ts'
import type { TryOptions } from './options.ts'

/** Up to so many cells every fold can afford a search of its own. */
const mostSearchedCells = 100_000
/** Past so many rows three inner folds calibrate as well as five. */
const manyRows = 50_000

export interface Trainings {
  trainFold(part: Dataset, fold: string): Promise<Artefact>
  trainAll(): Promise<Artefact>
  /** The comparison that decided the settings of the final model. */
  leaderboard(final: Artefact): readonly LeaderboardRow[]
}

/**
 * The trainings of one run. Small tables search settings anew in every fold, which leaves no way for a tested row to have a say.
 * Larger ones search once, on the first fold's training rows with the whole budget, and keep the settings: choosing among
 * a dozen settings on tens of thousands of rows flatters by less than the folds differ. By time, the final model searches again,
 * because the first fold knows the earliest rows only. A fold's model is judged on the fold, so its training holds nothing out.
 */
export function createTrainings(
  dataset: Dataset,
  plan: Plan,
  options: TryOptions,
  onProgress: (message: string) => void,
): Trainings {
  const isNested = dataset.n * dataset.columns.length <= mostSearchedCells
  const isByTime = plan.by === 'time' || plan.by === 'time+group'
  const searches = isNested ? plan.splits.length + 1 : isByTime ? 2 : 1
  let first: Artefact | undefined

  const trainOn = (part: Dataset, name: string, choice?: Choice, more: TrainOptions = {}): Promise<Artefact> => {
    const trainOptions: TrainOptions = {
      ...more,
      seed: options.seed,
      learners: options.learners,
      calibration: options.calibration,
      allowLeaks: options.allowLeak,
      budgetMs: options.budget / searches,
      folds: part.n > manyRows ? 3 : 5,
      ...(choice ? { candidates: choice } : {}),
      ...(options.objective ? { objective: options.objective } : {}),
      ...(options.threads ? { threads: options.threads } : {}),
    }
    return train(part, trainOptions, {
      onProgress: ({ done, total, message }) => onProgress(`${name}: ${message} (${Math.floor(done)}/${total})`),
    })
  }
  return {
    trainFold: async (part, fold) => {
      const artefact = await trainOn(part, `fold ${fold}`, isNested ? undefined : first?.choice, { splits: [] })
      first ??= artefact
      return artefact
    },
    trainAll: () => trainOn(dataset, 'all rows', isNested || isByTime ? undefined : first?.choice),
    leaderboard: (final) => (isNested || isByTime || !first ? final.leaderboard : first.leaderboard),
  }
}
