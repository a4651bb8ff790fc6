/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What happened to an alert. */
export type AlertMove =
  | 'ACKNOWLEDGED'
  | 'OPENED'
  | 'RESOLVED';

/** What can be wrong. A model has at most one alert of each that is not resolved. */
export type AlertRule =
  /** It keeps too many answers to itself. */
  | 'ABSTENTION'
  /** Inputs or predictions are not as they were in training. */
  | 'DRIFT'
  /** Too many predictions fail. */
  | 'ERRORS'
  /** Somebody records more outcomes than may count. */
  | 'FEEDBACK'
  /** Outcomes say that it does worse than its hold-out or the file promise. */
  | 'PERFORMANCE';

/** How an alert stands. */
export type AlertState =
  /** Somebody looks at it. */
  | 'ACKNOWLEDGED'
  /** Nobody has said to look at it. */
  | 'OPEN'
  /** It is over. */
  | 'RESOLVED';

/** Whether calls are let through to a target. */
export type BreakerState =
  /** They are. */
  | 'CLOSED'
  /** One is, to see whether it is well again. */
  | 'HALF_OPEN'
  /** They are not: it failed again and again. */
  | 'OPEN';

/** Within what time, by UTC. */
export type BudgetPeriod =
  /** A day. */
  | 'DAY'
  /** An hour. */
  | 'HOUR'
  /** A calendar month. */
  | 'MONTH';

/** Whose spending a budget limits. */
export type BudgetScope =
  /** Everybody on this installation; only its operators set it. */
  | 'GLOBAL'
  /** One prompt, or each one. */
  | 'PROMPT'
  /** The tenant. */
  | 'TEAM'
  /** One viewer, or each one. */
  | 'VIEWER';

/** Why an answer ended. */
export type CompletionFinishReason =
  /** Nobody read it any more. */
  | 'ABANDONED'
  /** The provider withheld the rest. */
  | 'CONTENT_FILTER'
  /** It broke in the middle. */
  | 'INCOMPLETE'
  /** It reached maxTokens. */
  | 'LENGTH'
  /** The provider did not say. */
  | 'OTHER'
  /** It is complete. */
  | 'STOP'
  /** stopCompletion ended it. */
  | 'STOPPED'
  /** It waits for the tools that it asked for. */
  | 'TOOL_CALLS';

/** Where an answer came from. */
export type CompletionSource =
  /** An earlier answer to the same question. */
  | 'CACHE'
  /** A call of its own. */
  | 'CALL'
  /** The call of an identical question at the same time; it costs nothing more. */
  | 'SHARED';

/** Whether a feature pushes the probability up or down. */
export type ExplainedDirection =
  /** Down. */
  | 'LOWERS'
  /** Up. */
  | 'RAISES';

/** How an attempt ended. RELEASED: its worker stopped and gave the job back. SUSPENDED: it waits for its children. */
export type JobOutcome =
  | 'CANCELLED'
  | 'CRASHED'
  | 'FAILED'
  | 'RELEASED'
  | 'SUCCEEDED'
  | 'SUSPENDED'
  | 'TIMED_OUT';

/** Where a job stands. SUCCEEDED, FAILED and CANCELLED are final. */
export type JobState =
  | 'BLOCKED'
  | 'CANCELLED'
  | 'CANCELLING'
  | 'FAILED'
  | 'QUEUED'
  | 'RETRYING'
  | 'RUNNING'
  | 'SCHEDULED'
  | 'SUCCEEDED';

/** Where an outcome comes from. */
export type OutcomeSource =
  /** The rows say so: the model file's own labels. */
  | 'DERIVED'
  /** A viewer said so. */
  | 'RECORDED';

/** Where a probability comes from. */
export type PredictionSource =
  /** Computed now by a version of the model. */
  | 'MODEL'
  /** The rule of thumb in the model file. */
  | 'RULE'
  /** A score that was stored earlier: see `scoredAt`. */
  | 'STORED';

/** How a learner stands with an objective. */
export type ProgressState =
  /** Not scored, though it was due. */
  | 'OVERDUE'
  /** Scored at least once. */
  | 'SCORED'
  /** Not scored yet, and not due before now. */
  | 'UPCOMING'
  /** Never scored, and the learner has left the presentation. */
  | 'WITHDRAWN';

/** Whether a feature pushes the probability up or down. */
export type ReasonDirection =
  | 'LOWERS'
  | 'RAISES';

/** A scored submission. */
export type RecordAttemptInput = {
  /** How long it took. */
  durationMinutes?: number | null | undefined;
  /** Key of the learner. */
  learnerId: string | number;
  /** Key of an objective of a presentation they are enrolled in. */
  objectiveId: string | number;
  /** 0..100. */
  score: number;
  /** When it was submitted, not after now. Default: now. */
  submittedAt?: string | null | undefined;
};

/** A probability's band, by the borders that the model file declares. */
export type RiskLevel =
  | 'HIGH'
  | 'LOW'
  | 'MEDIUM';

/** How a training run stands. */
export type TrainingRunState =
  | 'CANCELLED'
  | 'FAILED'
  | 'QUEUED'
  | 'RUNNING'
  | 'SUCCEEDED';

/** Where stored scores are heading; a change of less than 0.01 over the window is STEADY. */
export type TrendDirection =
  | 'FALLING'
  | 'RISING'
  | 'STEADY';

/** The kind of reason. */
export type UnavailableCode =
  /** Too little is known, or the answer is too vague, by the policy of the model file. */
  | 'ABSTAINED'
  /** The version that should serve is broken and was taken out of service. */
  | 'ARTEFACT_INVALID'
  /** It took longer than `within` allows. */
  | 'DEADLINE_EXCEEDED'
  /** The model file changed since the version was trained. */
  | 'FEATURE_MISMATCH'
  /** The features could not be read. */
  | 'FEATURE_READ_FAILED'
  /** Scoring failed. */
  | 'INFERENCE_FAILED'
  /** Too many rows wait to be scored. */
  | 'INFERENCE_OVERLOADED'
  /** No version serves yet. */
  | 'MODEL_NOT_TRAINED'
  /** The question is not about this entity at that moment. */
  | 'NOT_APPLICABLE'
  /** There is no such version. */
  | 'NOT_FOUND'
  /** No score was stored by that moment. */
  | 'NOT_STORED'
  /** The version that answered was trained elsewhere: there is a prediction without reasons. */
  | 'NO_REASONS'
  /** Something else went wrong. */
  | 'UNAVAILABLE';

export type WhoIsAtRiskQueryVariables = Exact<{ [key: string]: never; }>;


export type WhoIsAtRiskQuery = { learners: { nodes: Array<{ id: string, name: string, churnScore: number | null, churn: { probability: number, riskLevel: RiskLevel, modelVersion: { id: string } | null } | null, progress: { nodes: Array<{ struggleProbability: number | null, objective: { title: string }, struggle: { probability: number, confidence: number, riskLevel: RiskLevel, reasons: Array<{ feature: string, sentence: string, value: number | string | null, contribution: number }> | null } | null }> } }> } };

export type TrainMutationVariables = Exact<{ [key: string]: never; }>;


export type TrainMutation = { trainModel:
    | { code: string, message: string, hint: string }
    | { code: string, message: string, hint: string }
    | { code: string, message: string, hint: string }
    | { trainingRun: { id: string, state: TrainingRunState }, job: { id: string, state: JobState } }
   };

export type WatchSubscriptionVariables = Exact<{
  jobId: string | number;
}>;


export type WatchSubscription = { jobEvents:
    | { __typename: 'JobArtifactKept', sequence: number, at: string }
    | { __typename: 'JobCancelled', sequence: number, at: string }
    | { __typename: 'JobEventsCut', sequence: number, at: string }
    | { __typename: 'JobEventsRefused', sequence: number, at: string }
    | { __typename: 'JobFailed', sequence: number, at: string, error: { message: string } | null }
    | { __typename: 'JobLogged', sequence: number, at: string }
    | { __typename: 'JobMoved', sequence: number, at: string }
    | { __typename: 'JobProgressed', sequence: number, at: string, progress: { done: number, total: number | null, message: string | null } }
    | { __typename: 'JobStepCommitted', sequence: number, at: string }
    | { __typename: 'JobSucceeded', sequence: number, at: string }
   };

export type LiveSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type LiveSubscription = { jobs:
    | { __typename: 'JobChanged', from: JobState | null, state: JobState | null, cursor: string, job: { id: string, kind: string, progress: { done: number, total: number | null, message: string | null } | null, attempts: Array<{ number: number, worker: string, outcome: JobOutcome | null }> } }
    | { __typename: 'JobEntered', from: JobState | null, state: JobState | null, cursor: string, job: { id: string, kind: string, progress: { done: number, total: number | null, message: string | null } | null, attempts: Array<{ number: number, worker: string, outcome: JobOutcome | null }> } }
    | { __typename: 'JobLeft', from: JobState | null, state: JobState | null, cursor: string, job: { id: string, kind: string, progress: { done: number, total: number | null, message: string | null } | null, attempts: Array<{ number: number, worker: string, outcome: JobOutcome | null }> } }
    | { __typename: 'JobsCut', cursor: string }
    | { __typename: 'JobsListed', cursor: string, jobs: Array<{ id: string, kind: string, state: JobState }> }
    | { __typename: 'JobsRefused', cursor: string }
   };

export type ModelsQueryVariables = Exact<{ [key: string]: never; }>;


export type ModelsQuery = { models: Array<{ name: string, question: string, features: Array<{ name: string, unit: string | null, says: string }>, champion: { number: number, learner: string, rows: number, positives: number, splits: Array<{ by: string, test: number, metrics: Array<{ name: string, value: number | null }>, baseline: Array<{ name: string, value: number | null }> }> } | null }> };

export type RecordMutationVariables = Exact<{
  learnerId: string | number;
  objectiveId: string | number;
}>;


export type RecordMutation = { recordAttempt:
    | { code: string, message: string, hint: string }
    | { code: string, message: string, hint: string }
    | { learner: { progress: { nodes: Array<{ struggleProbability: number | null, objective: { title: string } }> } } }
   };

export type WhatWouldHelpQueryVariables = Exact<{ [key: string]: never; }>;


export type WhatWouldHelpQuery = { learners: { nodes: Array<{ name: string, churn: { probability: number, baseLogOdds: number | null, reasons: Array<{ sentence: string, contribution: number }> | null, whatIf: Array<{ newProbability: number, changes: Array<{ feature: string, from: number, to: number, unit: string | null }> }> | null, quality: { missing: Array<string> | null, unknown: Array<string> | null, outOfRange: Array<string> | null, ages: Array<{ feature: string, days: number }> | null, interval: { low: number, high: number } } | null } | null, churnUnavailable: { code: UnavailableCode, message: string, hint: string } | null }> } };

export type VersionsQueryVariables = Exact<{ [key: string]: never; }>;


export type VersionsQuery = { learners: { nodes: Array<{ name: string, predictions: Array<{ version: unknown, prediction: { probability: number, modelVersion: { number: number, coverage: { asked: number, answered: number, share: number } | null } | null } | null, unavailable: { code: UnavailableCode, message: string } | null }> | null }> }, disagreement: { compared: number, isComplete: boolean, meanDifference: number, disputes: Array<{ difference: number, entity:
        | { id: string, name: string }
        | Record<PropertyKey, never>
      , predictions: Array<{ probability: number, modelVersion: { number: number } | null }> }> } };

export type FormQueryVariables = Exact<{ [key: string]: never; }>;


export type FormQuery = { scoreInput: { prediction: { probability: number, riskLevel: RiskLevel, reasons: Array<{ sentence: string, contribution: number }> | null, whatIf: Array<{ newProbability: number, changes: Array<{ feature: string, from: number, to: number, unit: string | null }> }> | null, quality: { missing: Array<string> | null, interval: { low: number, high: number } } | null } | null, unavailable: { code: UnavailableCode, message: string, hint: string } | null } };

export type TimeQueryVariables = Exact<{
  then?: string | null | undefined;
}>;


export type TimeQuery = { learners: { nodes: Array<{ name: string, now: { probability: number, trend: { direction: TrendDirection, slopePerDay: number, scores: number } | null } | null, then: { probability: number, asOf: string } | null, served: { probability: number, source: PredictionSource, scoredAt: string | null, modelVersion: { number: number } | null } | null, quick: { probability: number, source: PredictionSource } | null, quickUnavailable: { code: UnavailableCode } | null }> } };

export type WhatStandsInQueryVariables = Exact<{ [key: string]: never; }>;


export type WhatStandsInQuery = { learners: { nodes: Array<{ name: string, churn: { probability: number, source: PredictionSource, scoredAt: string | null } | null, churnUnavailable: { code: UnavailableCode, message: string, hint: string } | null, progress: { nodes: Array<{ objective: { title: string }, struggle: { probability: number, confidence: number, riskLevel: RiskLevel, source: PredictionSource, scoredAt: string | null, modelVersion: { number: number } | null } | null, struggleUnavailable: { code: UnavailableCode, message: string, hint: string } | null }> } }> } };

export type ScoreEveryoneMutationVariables = Exact<{ [key: string]: never; }>;


export type ScoreEveryoneMutation = { scoreModel:
    | { __typename: 'InvalidInputError', code: string, message: string, hint: string }
    | { __typename: 'NotFoundError', code: string, message: string, hint: string }
    | { __typename: 'ScoreModelPayload', job: { id: string, state: JobState } }
    | { __typename: 'TooManyJobsError', code: string, message: string, hint: string }
   };

export type ProgressSubscriptionVariables = Exact<{
  jobId: string | number;
}>;


export type ProgressSubscription = { jobEvents:
    | { __typename: 'JobArtifactKept' }
    | { __typename: 'JobCancelled' }
    | { __typename: 'JobEventsCut' }
    | { __typename: 'JobEventsRefused' }
    | { __typename: 'JobFailed', error: { message: string } | null }
    | { __typename: 'JobLogged' }
    | { __typename: 'JobMoved' }
    | { __typename: 'JobProgressed', progress: { done: number, total: number | null, message: string | null } }
    | { __typename: 'JobStepCommitted' }
    | { __typename: 'JobSucceeded' }
   };

export type MostLikelyToLeaveQueryVariables = Exact<{ [key: string]: never; }>;


export type MostLikelyToLeaveQuery = { learnersByChurn: { totalCount: number, riskLevels: Array<{ riskLevel: RiskLevel, count: number }>, freshness: { scoredAt: string | null, isStale: boolean, changes: number, version: { number: number } | null }, edges: Array<{ score: number, riskLevel: RiskLevel, scoredAt: string, node: { id: string, name: string, country: string | null } | null }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, progressByStruggle: { edges: Array<{ score: number, node: { learner: { name: string }, objective: { title: string } } | null }> } };

export type CompletionSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type CompletionSubscription = { completionEvents:
    | { __typename: 'CompletionEventsCut', sequence: number }
    | { __typename: 'CompletionFailed', sequence: number, code: string, message: string, hint: string }
    | { __typename: 'CompletionFinished', sequence: number, finishReason: CompletionFinishReason, costUsd: number, durationMs: number, usage: { inputTokens: number, outputTokens: number, isEstimated: boolean } }
    | { __typename: 'CompletionStarted', sequence: number, target: string, label: string | null, source: CompletionSource }
    | { __typename: 'CompletionTokensAdded', sequence: number, text: string }
    | { __typename: 'CompletionToolCalled', sequence: number }
   };

export type WhoAnswersQueryVariables = Exact<{ [key: string]: never; }>;


export type WhoAnswersQuery = { explainRoute: { strategy: string, inputTokens: number, outputTokens: number, order: Array<{ target: string, why: string, estimateUsd: number }>, excluded: Array<{ target: string, why: string }> }, providers: Array<{ name: string, label: string | null, targets: Array<{ name: string, llm: string, isHealthy: boolean, breaker: BreakerState, firstTokenMs: number | null, tokensPerSecond: number | null, requests: number, failures: number, running: number, waiting: number }> }>, budgets: Array<{ scope: BudgetScope, subject: string, period: BudgetPeriod, limitUsd: number, windows: Array<{ subject: string, reservedUsd: number, spentUsd: number }> }>, usage: Array<{ key: Array<string>, calls: number, outputTokens: number, costUsd: number }> };

export type ExplanationSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type ExplanationSubscription = { predictionExplained:
    | { __typename: 'ExplanationFailed', sequence: number, code: string, message: string, hint: string }
    | { __typename: 'ExplanationFinished', sequence: number, finishReason: CompletionFinishReason, costUsd: number, droppedSentences: number }
    | { __typename: 'ExplanationSentence', sequence: number, text: string, features: Array<string> }
    | { __typename: 'ExplanationStarted', sequence: number, probability: number, riskLevel: string, target: string, label: string | null, reasons: Array<{ feature: string, direction: ExplainedDirection, sentence: string }> }
   };

export type RolloutQueryVariables = Exact<{ [key: string]: never; }>;


export type RolloutQuery = { model: { champion: { number: number, comparison: { rows: number, isUnseen: boolean, gains: Array<{ metric: string, gain: number, low: number, high: number }> } | null, gates: Array<{ says: string, isPassed: boolean }> } | null, experiment: { share: number, challenger: { number: number } | null, interval: { difference: number, low: number, high: number } | null, steps: Array<{ share: number, at: string }> } | null } | null, aliasMoves: { nodes: Array<{ alias: string, act: string, movedAt: string, movedBy: string, reason: string, from: { number: number } | null, to: { number: number } | null }> }, experiments: { nodes: Array<{ outcome: string | null, reason: string | null, startedAt: string, endedAt: string | null }> }, shadowComparisons: { nodes: Array<{ hour: string, rows: number, agreement: number | null, meanDifference: number | null, largest: number }> } };

export type RollBackMutationVariables = Exact<{ [key: string]: never; }>;


export type RollBackMutation = { rollbackModel:
    | { __typename: 'ConflictError', code: string, message: string, hint: string }
    | { __typename: 'InvalidInputError', code: string, message: string, hint: string }
    | { __typename: 'NotFoundError', code: string, message: string, hint: string }
    | { __typename: 'RollbackModelPayload', move: { from: { number: number } | null, to: { number: number } | null } }
   };

export type MonitoringQueryVariables = Exact<{ [key: string]: never; }>;


export type MonitoringQuery = { models: Array<{ name: string, decisionThreshold: number, retraining: { every: string | null, timeZone: string, onDrift: boolean, onOutcomes: number | null } | null, servedCounts: { nodes: Array<{ from: string, served: number, abstentionRate: number | null, errorRate: number | null, fallbacks: number, version: { number: number } | null }> }, performance: { nodes: Array<{ from: string, served: number, labelled: number, isEnough: boolean, accuracy: number | null, precision: number | null, recall: number | null, auc: number | null, calibrationError: number | null, version: { number: number } | null, estimated: { isEstimate: boolean, accuracy: number | null, recall: number | null, auc: number | null } }> }, predictionDrift: { rows: number, psi: number | null, isDrifted: boolean } | null, drift: { nodes: Array<{ feature: string, rows: number, psi: number | null, ks: number | null, missingRate: number | null, trainingMissingRate: number, isDrifted: boolean }> } }>, alerts: { nodes: Array<{ id: string, model: string, rule: AlertRule, state: AlertState, message: string, owner: string | null, openedAt: string, breaches: Array<{ name: string, value: number, bound: number }> }> } };

export type RecordOutcomeMutationVariables = Exact<{
  learnerId: string;
}>;


export type RecordOutcomeMutation = { recordOutcome:
    | { code: string, message: string, hint: string }
    | { code: string, message: string, hint: string }
    | { code: string, message: string, hint: string }
    | { code: string, message: string, hint: string }
    | { isRepeated: boolean, predictions: number, outcome: { label: boolean, source: OutcomeSource, isCounted: boolean } }
    | { code: string, message: string, hint: string }
   };

export type AlertsSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type AlertsSubscription = { alertEvents:
    | { move: AlertMove, model: string, rule: AlertRule, message: string, owner: string | null, cursor: string }
    | { code: string, message: string, hint: string, cursor: string }
   };

export type PageOfRiskQueryVariables = Exact<{
  first: number;
}>;


export type PageOfRiskQuery = { learners: { nodes: Array<{ id: string, name: string, churnScore: number | null, churn: { probability: number, confidence: number, riskLevel: RiskLevel, asOf: string, modelVersion: { id: string, number: number } | null } | null, churnUnavailable: { code: UnavailableCode, message: string, hint: string } | null, progress: { nodes: Array<{ state: ProgressState, struggleProbability: number | null, objective: { title: string }, struggle: { probability: number, riskLevel: RiskLevel, reasons: Array<{ feature: string, sentence: string, value: number | string | null, contribution: number, direction: ReasonDirection }> | null } | null, struggleUnavailable: { code: UnavailableCode } | null }> } }> } };

export type TimeTravelQueryVariables = Exact<{
  id: string | number;
  asOf: string;
}>;


export type TimeTravelQuery = { learner: { now: { probability: number, asOf: string } | null, then: { probability: number, asOf: string } | null, thenUnavailable: { code: UnavailableCode } | null } | null };

export type RecordAndLookMutationVariables = Exact<{
  input: RecordAttemptInput;
}>;


export type RecordAndLookMutation = { recordAttempt:
    | { code: string, message: string, hint: string }
    | { code: string, message: string, hint: string }
    | { attempt: { score: number | null }, learner: { id: string, progress: { nodes: Array<{ objectiveId: string, struggleProbability: number | null, struggleUnavailable: { code: UnavailableCode } | null }> } } }
   };

export type BeforeQueryVariables = Exact<{
  id: string | number;
}>;


export type BeforeQuery = { learner: { progress: { nodes: Array<{ objectiveId: string, struggleProbability: number | null }> } } | null };

export type ModelsAndSplitsQueryVariables = Exact<{ [key: string]: never; }>;


export type ModelsAndSplitsQuery = { models: Array<{ name: string, champion: { number: number, state: string, sha256: string, splits: Array<{ by: string, test: number, metrics: Array<{ name: string, value: number | null }>, baseline: Array<{ name: string, value: number | null }> }> } | null, versions: { nodes: Array<{ number: number }> } }> };

export type StartTrainingMutationVariables = Exact<{
  model: string;
}>;


export type StartTrainingMutation = { trainModel:
    | { message: string, code: string, hint: string }
    | { message: string, code: string, hint: string }
    | { message: string, code: string, hint: string }
    | { trainingRun: { id: string, state: TrainingRunState }, job: { id: string, state: JobState } }
   };

export type HowItWentQueryVariables = Exact<{
  job: string | number;
  run: string | number;
}>;


export type HowItWentQuery = { job: { state: JobState, progress: { done: number, total: number | null, message: string | null } | null, attempts: Array<{ number: number, outcome: JobOutcome | null }> } | null, trainingRun: { state: TrainingRunState, isPromoted: boolean | null, reasons: Array<string>, modelVersion: { number: number, metrics: Array<{ name: string, value: number | null }> } | null } | null };

export type TrainOnceMutationVariables = Exact<{
  key: string;
}>;


export type TrainOnceMutation = { trainModel:
    | { trainingRun: { id: string }, job: { id: string } }
    | Record<PropertyKey, never>
   };

export type CancelOneMutationVariables = Exact<{
  id: string | number;
}>;


export type CancelOneMutation = { cancelJob:
    | { __typename: 'CancelJobPayload' }
    | { __typename: 'ConflictError', message: string }
    | { __typename: 'InvalidInputError', message: string }
    | { __typename: 'NotFoundError', message: string }
    | { __typename: 'TooManyJobsError', message: string }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const WhoIsAtRiskDocument = new TypedDocumentString(`
    query WhoIsAtRisk {
  learners(first: 50) {
    nodes {
      id
      name
      churnScore
      churn {
        probability
        riskLevel
        modelVersion {
          id
        }
      }
      progress(first: 3) {
        nodes {
          objective {
            title
          }
          struggleProbability
          struggle {
            probability
            confidence
            riskLevel
            reasons(first: 2) {
              feature
              sentence
              value
              contribution
            }
          }
        }
      }
    }
  }
}
    `, {"hash":"sha256:c90a89a0f6fdc3a7c693d160f54c9e99b9f7120716afdaacffb1486f963b8a0c"}) as unknown as TypedDocumentString<WhoIsAtRiskQuery, WhoIsAtRiskQueryVariables>;
export const TrainDocument = new TypedDocumentString(`
    mutation Train {
  trainModel(input: {model: "churn"}) {
    ... on TrainModelPayload {
      trainingRun {
        id
        state
      }
      job {
        id
        state
      }
    }
    ... on Error {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:9b52ea3293a211544c85e5a84b29b20b37e2e45482c5cb5e4b2950f6af097c4b"}) as unknown as TypedDocumentString<TrainMutation, TrainMutationVariables>;
export const WatchDocument = new TypedDocumentString(`
    subscription Watch($jobId: ID!) {
  jobEvents(jobId: $jobId, after: 0) {
    __typename
    ... on JobEvent {
      sequence
      at
    }
    ... on JobProgressed {
      progress {
        done
        total
        message
      }
    }
    ... on JobFailed {
      error {
        message
      }
    }
  }
}
    `, {"hash":"sha256:976660b530bffcb299ef51dfa7275af5db9166285a57fd83e9ddabdde7a77739"}) as unknown as TypedDocumentString<WatchSubscription, WatchSubscriptionVariables>;
export const LiveDocument = new TypedDocumentString(`
    subscription Live {
  jobs(first: 5) {
    __typename
    cursor
    ... on JobsListed {
      jobs {
        id
        kind
        state
      }
    }
    ... on JobsChange {
      from
      state
      job {
        id
        kind
        progress {
          done
          total
          message
        }
        attempts {
          number
          worker
          outcome
        }
      }
    }
  }
}
    `, {"hash":"sha256:733948a0d9789078df1a6f417eee8e1688f2c21c1b4594c1b173cec21dca491e"}) as unknown as TypedDocumentString<LiveSubscription, LiveSubscriptionVariables>;
export const ModelsDocument = new TypedDocumentString(`
    query Models {
  models {
    name
    question
    features {
      name
      unit
      says
    }
    champion {
      number
      learner
      rows
      positives
      splits {
        by
        test
        metrics {
          name
          value
        }
        baseline {
          name
          value
        }
      }
    }
  }
}
    `, {"hash":"sha256:1536f420de9b1e3046c5e52747e7549b6434748c4e79ac8ad8bc8e928214d1e0"}) as unknown as TypedDocumentString<ModelsQuery, ModelsQueryVariables>;
export const RecordDocument = new TypedDocumentString(`
    mutation Record($learnerId: ID!, $objectiveId: ID!) {
  recordAttempt(
    input: {learnerId: $learnerId, objectiveId: $objectiveId, score: 41}
  ) {
    ... on RecordAttemptPayload {
      learner {
        progress(first: 3) {
          nodes {
            objective {
              title
            }
            struggleProbability
          }
        }
      }
    }
    ... on Error {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:331ba195795346edc0f4314ba0e7cf85c45007c77777fc92b0d5bdfc77116b8b"}) as unknown as TypedDocumentString<RecordMutation, RecordMutationVariables>;
export const WhatWouldHelpDocument = new TypedDocumentString(`
    query WhatWouldHelp {
  learners(first: 20) {
    nodes {
      name
      churn {
        probability
        baseLogOdds
        reasons(first: 3) {
          sentence
          contribution
        }
        whatIf(goal: LOWER, to: 0.1, maxChanges: 2) {
          changes {
            feature
            from
            to
            unit
          }
          newProbability
        }
        quality {
          missing
          unknown
          outOfRange
          ages {
            feature
            days
          }
          interval {
            low
            high
          }
        }
      }
      churnUnavailable {
        code
        message
        hint
      }
    }
  }
}
    `, {"hash":"sha256:e267c00fb59efaddffa9fb239b21e68cff5fbb2af411f7d15d1af7123768c399"}) as unknown as TypedDocumentString<WhatWouldHelpQuery, WhatWouldHelpQueryVariables>;
export const VersionsDocument = new TypedDocumentString(`
    query Versions {
  learners(first: 5) {
    nodes {
      name
      predictions(model: "churn", versions: [CHAMPION, "1"]) {
        version
        prediction {
          probability
          modelVersion {
            number
            coverage {
              asked
              answered
              share
            }
          }
        }
        unavailable {
          code
          message
        }
      }
    }
  }
  disagreement(model: "churn", versions: [CHAMPION, "1"], first: 5) {
    compared
    isComplete
    meanDifference
    disputes {
      difference
      entity {
        ... on Learner {
          id
          name
        }
      }
      predictions {
        probability
        modelVersion {
          number
        }
      }
    }
  }
}
    `, {"hash":"sha256:0a332d4ddf2fc1d0c33f2ed82c0d3a11cce96ef9a8c1cb2dfa7adc410fbd2be1"}) as unknown as TypedDocumentString<VersionsQuery, VersionsQueryVariables>;
export const FormDocument = new TypedDocumentString(`
    query Form {
  scoreInput(
    input: {churn: {attempts14d: 1, daysSinceActive: 12, meanScore: 55, plan: "monthly"}}
  ) {
    prediction {
      probability
      riskLevel
      reasons(first: 3) {
        sentence
        contribution
      }
      whatIf(goal: LOWER, to: 0.2) {
        changes {
          feature
          from
          to
          unit
        }
        newProbability
      }
      quality {
        missing
        interval {
          low
          high
        }
      }
    }
    unavailable {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:c2fd9607801542aab628f96081234d0452c0712dd486df7299bf34e10794d1a6"}) as unknown as TypedDocumentString<FormQuery, FormQueryVariables>;
export const TimeDocument = new TypedDocumentString(`
    query Time($then: DateTime) {
  learners(first: 10) {
    nodes {
      name
      now: churn {
        probability
        trend(window: {days: 60}) {
          direction
          slopePerDay
          scores
        }
      }
      then: churn(asOf: $then) {
        probability
        asOf
      }
      served: churn(asServed: true) {
        probability
        source
        scoredAt
        modelVersion {
          number
        }
      }
      quick: churn(within: {ms: 20, otherwise: STORED}) {
        probability
        source
      }
      quickUnavailable: churnUnavailable(within: {ms: 20, otherwise: STORED}) {
        code
      }
    }
  }
}
    `, {"hash":"sha256:c0877d9f1d0eb903cbfc70c12ac01aedb832b5cb9f04655e86a0320792b7f52b"}) as unknown as TypedDocumentString<TimeQuery, TimeQueryVariables>;
export const WhatStandsInDocument = new TypedDocumentString(`
    query WhatStandsIn {
  learners(first: 10) {
    nodes {
      name
      churn {
        probability
        source
        scoredAt
      }
      churnUnavailable {
        code
        message
        hint
      }
      progress(first: 2) {
        nodes {
          objective {
            title
          }
          struggle {
            probability
            confidence
            riskLevel
            source
            scoredAt
            modelVersion {
              number
            }
          }
          struggleUnavailable {
            code
            message
            hint
          }
        }
      }
    }
  }
}
    `, {"hash":"sha256:f31b0aeefdf24e3aaf8c5e26acf064983f7bedd1d49025ee4fd35f0a6bfad425"}) as unknown as TypedDocumentString<WhatStandsInQuery, WhatStandsInQueryVariables>;
export const ScoreEveryoneDocument = new TypedDocumentString(`
    mutation ScoreEveryone {
  scoreModel(input: {model: "churn", scope: ALL}) {
    __typename
    ... on ScoreModelPayload {
      job {
        id
        state
      }
    }
    ... on Error {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:d29b3e933650eba43e7d6a106063e7722adad6e8706c204cb43faba3f86a9ce1"}) as unknown as TypedDocumentString<ScoreEveryoneMutation, ScoreEveryoneMutationVariables>;
export const ProgressDocument = new TypedDocumentString(`
    subscription Progress($jobId: ID!) {
  jobEvents(jobId: $jobId) {
    __typename
    ... on JobProgressed {
      progress {
        done
        total
        message
      }
    }
    ... on JobFailed {
      error {
        message
      }
    }
  }
}
    `, {"hash":"sha256:7ec135969d991c009902bf3171ea56be2d1ae3d0ac5d7c216a23548bb88363be"}) as unknown as TypedDocumentString<ProgressSubscription, ProgressSubscriptionVariables>;
export const MostLikelyToLeaveDocument = new TypedDocumentString(`
    query MostLikelyToLeave {
  learnersByChurn(first: 10, where: {probability: {gte: 0.1}}) {
    totalCount
    riskLevels {
      riskLevel
      count
    }
    freshness {
      scoredAt
      isStale
      changes
      version {
        number
      }
    }
    edges {
      score
      riskLevel
      scoredAt
      node {
        id
        name
        country
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
  progressByStruggle(
    first: 5
    where: {riskLevel: HIGH}
    rescoreIfOlderThanSeconds: 3600
  ) {
    edges {
      score
      node {
        learner {
          name
        }
        objective {
          title
        }
      }
    }
  }
}
    `, {"hash":"sha256:011ecc2ba9d27687bf3ed10280a18f3a889eff7ffc5abeeebe14fcbd6ecda33d"}) as unknown as TypedDocumentString<MostLikelyToLeaveQuery, MostLikelyToLeaveQueryVariables>;
export const CompletionDocument = new TypedDocumentString(`
    subscription Completion {
  completionEvents(
    input: {prompt: "Ada practised fractions on Monday. On Tuesday she scored 90 in algebra. On Friday she rested. How did Ada score in algebra?", maxTokens: 200}
  ) {
    __typename
    ... on CompletionProgress {
      sequence
    }
    ... on CompletionStarted {
      target
      label
      source
    }
    ... on CompletionTokensAdded {
      text
    }
    ... on CompletionFinished {
      finishReason
      costUsd
      durationMs
      usage {
        inputTokens
        outputTokens
        isEstimated
      }
    }
    ... on CompletionFailed {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:01429c96310d2043c0f05e595b9047bffcca11b5869e218b94d7daf9538c6697"}) as unknown as TypedDocumentString<CompletionSubscription, CompletionSubscriptionVariables>;
export const WhoAnswersDocument = new TypedDocumentString(`
    query WhoAnswers {
  explainRoute(input: {prompt: "Summarise the week of Ada.", maxTokens: 300}) {
    strategy
    inputTokens
    outputTokens
    order {
      target
      why
      estimateUsd
    }
    excluded {
      target
      why
    }
  }
  providers {
    name
    label
    targets {
      name
      llm
      isHealthy
      breaker
      firstTokenMs
      tokensPerSecond
      requests
      failures
      running
      waiting
    }
  }
  budgets {
    scope
    subject
    period
    limitUsd
    windows {
      subject
      reservedUsd
      spentUsd
    }
  }
  usage(groupBy: [DAY, TARGET], from: "2026-01-01", to: "2100-01-01") {
    key
    calls
    outputTokens
    costUsd
  }
}
    `, {"hash":"sha256:aae3bd283a0f5a28fdca48c2626b25c9da89425741184503b1831e096792a1f6"}) as unknown as TypedDocumentString<WhoAnswersQuery, WhoAnswersQueryVariables>;
export const ExplanationDocument = new TypedDocumentString(`
    subscription Explanation {
  predictionExplained(entity: "Learner", key: "L1244", language: "en") {
    __typename
    ... on ExplanationProgress {
      sequence
    }
    ... on ExplanationStarted {
      probability
      riskLevel
      target
      label
      reasons {
        feature
        direction
        sentence
      }
    }
    ... on ExplanationSentence {
      text
      features
    }
    ... on ExplanationFinished {
      finishReason
      costUsd
      droppedSentences
    }
    ... on ExplanationFailed {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:8b6389bc633e7d6420721be78e3d09787ea1060ab7b4359562112a2042f50af3"}) as unknown as TypedDocumentString<ExplanationSubscription, ExplanationSubscriptionVariables>;
export const RolloutDocument = new TypedDocumentString(`
    query Rollout {
  model(name: "churn") {
    champion {
      number
      comparison {
        rows
        isUnseen
        gains {
          metric
          gain
          low
          high
        }
      }
      gates {
        says
        isPassed
      }
    }
    experiment {
      share
      challenger {
        number
      }
      interval {
        difference
        low
        high
      }
      steps {
        share
        at
      }
    }
  }
  aliasMoves(model: "churn", first: 5) {
    nodes {
      alias
      act
      from {
        number
      }
      to {
        number
      }
      movedAt
      movedBy
      reason
    }
  }
  experiments(model: "churn", first: 3) {
    nodes {
      outcome
      reason
      startedAt
      endedAt
    }
  }
  shadowComparisons(model: "churn", first: 3) {
    nodes {
      hour
      rows
      agreement
      meanDifference
      largest
    }
  }
}
    `, {"hash":"sha256:07fa10167ca94c10fd40e6b816b411afba17ded4e6d45bc8352d879b2a0a73ae"}) as unknown as TypedDocumentString<RolloutQuery, RolloutQueryVariables>;
export const RollBackDocument = new TypedDocumentString(`
    mutation RollBack {
  rollbackModel(input: {model: "churn", reason: "tried in GraphiQL"}) {
    __typename
    ... on RollbackModelPayload {
      move {
        from {
          number
        }
        to {
          number
        }
      }
    }
    ... on Error {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:c7d394c00199abd63c9155b47370008f336e115f3b7e7094d3b4968f4f633b78"}) as unknown as TypedDocumentString<RollBackMutation, RollBackMutationVariables>;
export const MonitoringDocument = new TypedDocumentString(`
    query Monitoring {
  models {
    name
    decisionThreshold
    retraining {
      every
      timeZone
      onDrift
      onOutcomes
    }
    servedCounts(window: DAY) {
      nodes {
        from
        served
        abstentionRate
        errorRate
        fallbacks
        version {
          number
        }
      }
    }
    performance(window: WEEK, by: [VERSION]) {
      nodes {
        from
        version {
          number
        }
        served
        labelled
        isEnough
        accuracy
        precision
        recall
        auc
        calibrationError
        estimated {
          isEstimate
          accuracy
          recall
          auc
        }
      }
    }
    predictionDrift {
      rows
      psi
      isDrifted
    }
    drift(first: 5) {
      nodes {
        feature
        rows
        psi
        ks
        missingRate
        trainingMissingRate
        isDrifted
      }
    }
  }
  alerts(first: 10) {
    nodes {
      id
      model
      rule
      state
      message
      owner
      openedAt
      breaches {
        name
        value
        bound
      }
    }
  }
}
    `, {"hash":"sha256:2f5bc2ee3fea39b94183e47acfb5187d5436f4807c429e450c885aa66dd36bfc"}) as unknown as TypedDocumentString<MonitoringQuery, MonitoringQueryVariables>;
export const RecordOutcomeDocument = new TypedDocumentString(`
    mutation RecordOutcome($learnerId: String!) {
  recordOutcome(
    input: {model: "churn", key: [{field: "id", value: $learnerId}], label: true}
  ) {
    ... on RecordOutcomePayload {
      isRepeated
      predictions
      outcome {
        label
        source
        isCounted
      }
    }
    ... on Error {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:7ff5828a8800aa7d6f11e8cac423c42d546294a7b5bbf4cd59339871875961ed"}) as unknown as TypedDocumentString<RecordOutcomeMutation, RecordOutcomeMutationVariables>;
export const AlertsDocument = new TypedDocumentString(`
    subscription Alerts($after: String) {
  alertEvents(after: $after) {
    cursor
    ... on AlertMoved {
      move
      model
      rule
      message
      owner
    }
    ... on AlertsRefused {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:e314c6458031f2c15f852665dab46970c8851d708259bd06df2df1e7dd4828ce"}) as unknown as TypedDocumentString<AlertsSubscription, AlertsSubscriptionVariables>;
export const PageOfRiskDocument = new TypedDocumentString(`
    query PageOfRisk($first: Int!) {
  learners(first: $first) {
    nodes {
      id
      name
      churnScore
      churn {
        probability
        confidence
        riskLevel
        asOf
        modelVersion {
          id
          number
        }
      }
      churnUnavailable {
        code
        message
        hint
      }
      progress(first: 3) {
        nodes {
          objective {
            title
          }
          state
          struggleProbability
          struggle {
            probability
            riskLevel
            reasons(first: 2) {
              feature
              sentence
              value
              contribution
              direction
            }
          }
          struggleUnavailable {
            code
          }
        }
      }
    }
  }
}
    `, {"hash":"sha256:7c31f6d048e7ed5cf6509ba5c67672c8684b4dbedf4ed07c396da87006b15940"}) as unknown as TypedDocumentString<PageOfRiskQuery, PageOfRiskQueryVariables>;
export const TimeTravelDocument = new TypedDocumentString(`
    query TimeTravel($id: ID!, $asOf: DateTime!) {
  learner(id: $id) {
    now: churn {
      probability
      asOf
    }
    then: churn(asOf: $asOf) {
      probability
      asOf
    }
    thenUnavailable: churnUnavailable(asOf: $asOf) {
      code
    }
  }
}
    `, {"hash":"sha256:bae3827945a26c6afc7de9267bc65995269484dd4e2a7a6df61864cc129efcd4"}) as unknown as TypedDocumentString<TimeTravelQuery, TimeTravelQueryVariables>;
export const RecordAndLookDocument = new TypedDocumentString(`
    mutation RecordAndLook($input: RecordAttemptInput!) {
  recordAttempt(input: $input) {
    ... on RecordAttemptPayload {
      attempt {
        score
      }
      learner {
        id
        progress(first: 50) {
          nodes {
            objectiveId
            struggleProbability
            struggleUnavailable {
              code
            }
          }
        }
      }
    }
    ... on Error {
      code
      message
      hint
    }
  }
}
    `, {"hash":"sha256:1e01022ae63372a3b943da3b75067b6b54d6ec6b780cd3e74dd5bd448e4e5c6d"}) as unknown as TypedDocumentString<RecordAndLookMutation, RecordAndLookMutationVariables>;
export const BeforeDocument = new TypedDocumentString(`
    query Before($id: ID!) {
  learner(id: $id) {
    progress(first: 50) {
      nodes {
        objectiveId
        struggleProbability
      }
    }
  }
}
    `, {"hash":"sha256:be59f65307f8eb47992b2c141e0d49a66dab03bdfc86c805ad8da020d46b634f"}) as unknown as TypedDocumentString<BeforeQuery, BeforeQueryVariables>;
export const ModelsAndSplitsDocument = new TypedDocumentString(`
    query ModelsAndSplits {
  models {
    name
    champion {
      number
      state
      splits {
        by
        test
        metrics {
          name
          value
        }
        baseline {
          name
          value
        }
      }
      sha256
    }
    versions(first: 5) {
      nodes {
        number
      }
    }
  }
}
    `, {"hash":"sha256:bbbc35654249c64ca12a4461721cb4e584c41da5679dca1d5d00a24bd88663ef"}) as unknown as TypedDocumentString<ModelsAndSplitsQuery, ModelsAndSplitsQueryVariables>;
export const StartTrainingDocument = new TypedDocumentString(`
    mutation StartTraining($model: String!) {
  trainModel(input: {model: $model}) {
    ... on TrainModelPayload {
      trainingRun {
        id
        state
      }
      job {
        id
        state
      }
    }
    ... on Error {
      message
      code
      hint
    }
  }
}
    `, {"hash":"sha256:6777d34fcef746b9b450abff1850295012d751db35c9bf1f27fd1be004fc5d29"}) as unknown as TypedDocumentString<StartTrainingMutation, StartTrainingMutationVariables>;
export const HowItWentDocument = new TypedDocumentString(`
    query HowItWent($job: ID!, $run: ID!) {
  job(id: $job) {
    state
    progress {
      done
      total
      message
    }
    attempts {
      number
      outcome
    }
  }
  trainingRun(id: $run) {
    state
    isPromoted
    modelVersion {
      number
      metrics {
        name
        value
      }
    }
    reasons
  }
}
    `, {"hash":"sha256:fe392435c71fa618ec684a901ab1c9d9f6ce2e5d0e486b3acb4f47dc9285038c"}) as unknown as TypedDocumentString<HowItWentQuery, HowItWentQueryVariables>;
export const TrainOnceDocument = new TypedDocumentString(`
    mutation TrainOnce($key: String!) {
  trainModel(input: {model: "withdrawal", idempotencyKey: $key}) {
    ... on TrainModelPayload {
      trainingRun {
        id
      }
      job {
        id
      }
    }
  }
}
    `, {"hash":"sha256:0dec26dbc8a34a40dd0a12346d28df21affd59ef71265d8e1c81469b5a046604"}) as unknown as TypedDocumentString<TrainOnceMutation, TrainOnceMutationVariables>;
export const CancelOneDocument = new TypedDocumentString(`
    mutation CancelOne($id: ID!) {
  cancelJob(input: {id: $id}) {
    __typename
    ... on Error {
      message
    }
  }
}
    `, {"hash":"sha256:d4c4fd6d6bb4f881490bab393ef16f7e28c5c7ee7d781e2adddecc4391af061d"}) as unknown as TypedDocumentString<CancelOneMutation, CancelOneMutationVariables>;