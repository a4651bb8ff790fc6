import type { Model } from '../index.ts'
import { churn } from './churn.ts'
import { struggle } from './struggle.ts'
import { withdrawal } from './withdrawal.ts'

/** What the reference application predicts. A new model is one file and one line here. */
export const models: readonly Model[] = [struggle, withdrawal, churn]
