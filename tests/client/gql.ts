/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "query WhoIsAtRisk {\n  learners(first: 50) {\n    nodes {\n      id\n      name\n      churnScore\n      churn {\n        probability\n        riskLevel\n        modelVersion {\n          id\n        }\n      }\n      progress(first: 3) {\n        nodes {\n          objective {\n            title\n          }\n          struggleProbability\n          struggle {\n            probability\n            confidence\n            riskLevel\n            reasons(first: 2) {\n              feature\n              sentence\n              value\n              contribution\n            }\n          }\n        }\n      }\n    }\n  }\n}": typeof types.WhoIsAtRiskDocument,
    "mutation Train {\n  trainModel(input: {model: \"churn\"}) {\n    ... on TrainModelPayload {\n      trainingRun {\n        id\n        state\n      }\n      job {\n        id\n        state\n      }\n    }\n    ... on Error {\n      code\n      message\n      hint\n    }\n  }\n}\n\nsubscription Watch($jobId: ID!) {\n  jobEvents(jobId: $jobId, after: 0) {\n    __typename\n    ... on JobEvent {\n      sequence\n      at\n    }\n    ... on JobProgressed {\n      progress {\n        done\n        total\n        message\n      }\n    }\n    ... on JobFailed {\n      error {\n        message\n      }\n    }\n  }\n}": typeof types.TrainDocument,
    "query Models {\n  models {\n    name\n    question\n    features {\n      name\n      unit\n      says\n    }\n    champion {\n      number\n      learner\n      rows\n      positives\n      splits {\n        by\n        test\n        metrics {\n          name\n          value\n        }\n        baseline {\n          name\n          value\n        }\n      }\n    }\n  }\n}": typeof types.ModelsDocument,
    "mutation Record($learnerId: ID!, $objectiveId: ID!) {\n  recordAttempt(\n    input: {learnerId: $learnerId, objectiveId: $objectiveId, score: 41}\n  ) {\n    ... on RecordAttemptPayload {\n      learner {\n        progress(first: 3) {\n          nodes {\n            objective {\n              title\n            }\n            struggleProbability\n          }\n        }\n      }\n    }\n    ... on Error {\n      code\n      message\n      hint\n    }\n  }\n}": typeof types.RecordDocument,
    "\n  query PageOfRisk($first: Int!) {\n    learners(first: $first) {\n      nodes {\n        id\n        name\n        churnScore\n        churn { probability confidence riskLevel asOf modelVersion { id number } }\n        churnUnavailable { code message hint }\n        progress(first: 3) {\n          nodes {\n            objective { title }\n            state\n            struggleProbability\n            struggle { probability riskLevel reasons(first: 2) { feature sentence value contribution direction } }\n            struggleUnavailable { code }\n          }\n        }\n      }\n    }\n  }\n": typeof types.PageOfRiskDocument,
    "\n  query TimeTravel($id: ID!, $asOf: DateTime!) {\n    learner(id: $id) {\n      now: churn { probability asOf }\n      then: churn(asOf: $asOf) { probability asOf }\n      thenUnavailable: churnUnavailable(asOf: $asOf) { code }\n    }\n  }\n": typeof types.TimeTravelDocument,
    "\n  mutation RecordAndLook($input: RecordAttemptInput!) {\n    recordAttempt(input: $input) {\n      ... on RecordAttemptPayload {\n        attempt { score }\n        learner { id progress(first: 50) { nodes { objectiveId struggleProbability struggleUnavailable { code } } } }\n      }\n      ... on Error { code message hint }\n    }\n  }\n": typeof types.RecordAndLookDocument,
    "query Before($id: ID!) { learner(id: $id) { progress(first: 50) { nodes { objectiveId struggleProbability } } } }": typeof types.BeforeDocument,
    "\n        query ModelsAndSplits {\n          models {\n            name\n            champion { number state splits { by test metrics { name value } baseline { name value } } sha256 }\n            versions(first: 5) { nodes { number } }\n          }\n        }\n      ": typeof types.ModelsAndSplitsDocument,
    "\n        mutation StartTraining($model: String!) {\n          trainModel(input: { model: $model }) {\n            ... on TrainModelPayload { trainingRun { id state } job { id state } }\n            ... on Error { message code hint }\n          }\n        }\n      ": typeof types.StartTrainingDocument,
    "\n        query HowItWent($job: ID!, $run: ID!) {\n          job(id: $job) { state progress { done total message } attempts { number outcome } }\n          trainingRun(id: $run) { state isPromoted modelVersion { number metrics { name value } } reasons }\n        }\n      ": typeof types.HowItWentDocument,
    "mutation CancelOne($id: ID!) { cancelJob(input: { id: $id }) { __typename ... on Error { message } } }": typeof types.CancelOneDocument,
};
const documents: Documents = {
    "query WhoIsAtRisk {\n  learners(first: 50) {\n    nodes {\n      id\n      name\n      churnScore\n      churn {\n        probability\n        riskLevel\n        modelVersion {\n          id\n        }\n      }\n      progress(first: 3) {\n        nodes {\n          objective {\n            title\n          }\n          struggleProbability\n          struggle {\n            probability\n            confidence\n            riskLevel\n            reasons(first: 2) {\n              feature\n              sentence\n              value\n              contribution\n            }\n          }\n        }\n      }\n    }\n  }\n}": types.WhoIsAtRiskDocument,
    "mutation Train {\n  trainModel(input: {model: \"churn\"}) {\n    ... on TrainModelPayload {\n      trainingRun {\n        id\n        state\n      }\n      job {\n        id\n        state\n      }\n    }\n    ... on Error {\n      code\n      message\n      hint\n    }\n  }\n}\n\nsubscription Watch($jobId: ID!) {\n  jobEvents(jobId: $jobId, after: 0) {\n    __typename\n    ... on JobEvent {\n      sequence\n      at\n    }\n    ... on JobProgressed {\n      progress {\n        done\n        total\n        message\n      }\n    }\n    ... on JobFailed {\n      error {\n        message\n      }\n    }\n  }\n}": types.TrainDocument,
    "query Models {\n  models {\n    name\n    question\n    features {\n      name\n      unit\n      says\n    }\n    champion {\n      number\n      learner\n      rows\n      positives\n      splits {\n        by\n        test\n        metrics {\n          name\n          value\n        }\n        baseline {\n          name\n          value\n        }\n      }\n    }\n  }\n}": types.ModelsDocument,
    "mutation Record($learnerId: ID!, $objectiveId: ID!) {\n  recordAttempt(\n    input: {learnerId: $learnerId, objectiveId: $objectiveId, score: 41}\n  ) {\n    ... on RecordAttemptPayload {\n      learner {\n        progress(first: 3) {\n          nodes {\n            objective {\n              title\n            }\n            struggleProbability\n          }\n        }\n      }\n    }\n    ... on Error {\n      code\n      message\n      hint\n    }\n  }\n}": types.RecordDocument,
    "\n  query PageOfRisk($first: Int!) {\n    learners(first: $first) {\n      nodes {\n        id\n        name\n        churnScore\n        churn { probability confidence riskLevel asOf modelVersion { id number } }\n        churnUnavailable { code message hint }\n        progress(first: 3) {\n          nodes {\n            objective { title }\n            state\n            struggleProbability\n            struggle { probability riskLevel reasons(first: 2) { feature sentence value contribution direction } }\n            struggleUnavailable { code }\n          }\n        }\n      }\n    }\n  }\n": types.PageOfRiskDocument,
    "\n  query TimeTravel($id: ID!, $asOf: DateTime!) {\n    learner(id: $id) {\n      now: churn { probability asOf }\n      then: churn(asOf: $asOf) { probability asOf }\n      thenUnavailable: churnUnavailable(asOf: $asOf) { code }\n    }\n  }\n": types.TimeTravelDocument,
    "\n  mutation RecordAndLook($input: RecordAttemptInput!) {\n    recordAttempt(input: $input) {\n      ... on RecordAttemptPayload {\n        attempt { score }\n        learner { id progress(first: 50) { nodes { objectiveId struggleProbability struggleUnavailable { code } } } }\n      }\n      ... on Error { code message hint }\n    }\n  }\n": types.RecordAndLookDocument,
    "query Before($id: ID!) { learner(id: $id) { progress(first: 50) { nodes { objectiveId struggleProbability } } } }": types.BeforeDocument,
    "\n        query ModelsAndSplits {\n          models {\n            name\n            champion { number state splits { by test metrics { name value } baseline { name value } } sha256 }\n            versions(first: 5) { nodes { number } }\n          }\n        }\n      ": types.ModelsAndSplitsDocument,
    "\n        mutation StartTraining($model: String!) {\n          trainModel(input: { model: $model }) {\n            ... on TrainModelPayload { trainingRun { id state } job { id state } }\n            ... on Error { message code hint }\n          }\n        }\n      ": types.StartTrainingDocument,
    "\n        query HowItWent($job: ID!, $run: ID!) {\n          job(id: $job) { state progress { done total message } attempts { number outcome } }\n          trainingRun(id: $run) { state isPromoted modelVersion { number metrics { name value } } reasons }\n        }\n      ": types.HowItWentDocument,
    "mutation CancelOne($id: ID!) { cancelJob(input: { id: $id }) { __typename ... on Error { message } } }": types.CancelOneDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query WhoIsAtRisk {\n  learners(first: 50) {\n    nodes {\n      id\n      name\n      churnScore\n      churn {\n        probability\n        riskLevel\n        modelVersion {\n          id\n        }\n      }\n      progress(first: 3) {\n        nodes {\n          objective {\n            title\n          }\n          struggleProbability\n          struggle {\n            probability\n            confidence\n            riskLevel\n            reasons(first: 2) {\n              feature\n              sentence\n              value\n              contribution\n            }\n          }\n        }\n      }\n    }\n  }\n}"): typeof import('./graphql.ts').WhoIsAtRiskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Train {\n  trainModel(input: {model: \"churn\"}) {\n    ... on TrainModelPayload {\n      trainingRun {\n        id\n        state\n      }\n      job {\n        id\n        state\n      }\n    }\n    ... on Error {\n      code\n      message\n      hint\n    }\n  }\n}\n\nsubscription Watch($jobId: ID!) {\n  jobEvents(jobId: $jobId, after: 0) {\n    __typename\n    ... on JobEvent {\n      sequence\n      at\n    }\n    ... on JobProgressed {\n      progress {\n        done\n        total\n        message\n      }\n    }\n    ... on JobFailed {\n      error {\n        message\n      }\n    }\n  }\n}"): typeof import('./graphql.ts').TrainDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Models {\n  models {\n    name\n    question\n    features {\n      name\n      unit\n      says\n    }\n    champion {\n      number\n      learner\n      rows\n      positives\n      splits {\n        by\n        test\n        metrics {\n          name\n          value\n        }\n        baseline {\n          name\n          value\n        }\n      }\n    }\n  }\n}"): typeof import('./graphql.ts').ModelsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation Record($learnerId: ID!, $objectiveId: ID!) {\n  recordAttempt(\n    input: {learnerId: $learnerId, objectiveId: $objectiveId, score: 41}\n  ) {\n    ... on RecordAttemptPayload {\n      learner {\n        progress(first: 3) {\n          nodes {\n            objective {\n              title\n            }\n            struggleProbability\n          }\n        }\n      }\n    }\n    ... on Error {\n      code\n      message\n      hint\n    }\n  }\n}"): typeof import('./graphql.ts').RecordDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query PageOfRisk($first: Int!) {\n    learners(first: $first) {\n      nodes {\n        id\n        name\n        churnScore\n        churn { probability confidence riskLevel asOf modelVersion { id number } }\n        churnUnavailable { code message hint }\n        progress(first: 3) {\n          nodes {\n            objective { title }\n            state\n            struggleProbability\n            struggle { probability riskLevel reasons(first: 2) { feature sentence value contribution direction } }\n            struggleUnavailable { code }\n          }\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').PageOfRiskDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query TimeTravel($id: ID!, $asOf: DateTime!) {\n    learner(id: $id) {\n      now: churn { probability asOf }\n      then: churn(asOf: $asOf) { probability asOf }\n      thenUnavailable: churnUnavailable(asOf: $asOf) { code }\n    }\n  }\n"): typeof import('./graphql.ts').TimeTravelDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RecordAndLook($input: RecordAttemptInput!) {\n    recordAttempt(input: $input) {\n      ... on RecordAttemptPayload {\n        attempt { score }\n        learner { id progress(first: 50) { nodes { objectiveId struggleProbability struggleUnavailable { code } } } }\n      }\n      ... on Error { code message hint }\n    }\n  }\n"): typeof import('./graphql.ts').RecordAndLookDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Before($id: ID!) { learner(id: $id) { progress(first: 50) { nodes { objectiveId struggleProbability } } } }"): typeof import('./graphql.ts').BeforeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n        query ModelsAndSplits {\n          models {\n            name\n            champion { number state splits { by test metrics { name value } baseline { name value } } sha256 }\n            versions(first: 5) { nodes { number } }\n          }\n        }\n      "): typeof import('./graphql.ts').ModelsAndSplitsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n        mutation StartTraining($model: String!) {\n          trainModel(input: { model: $model }) {\n            ... on TrainModelPayload { trainingRun { id state } job { id state } }\n            ... on Error { message code hint }\n          }\n        }\n      "): typeof import('./graphql.ts').StartTrainingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n        query HowItWent($job: ID!, $run: ID!) {\n          job(id: $job) { state progress { done total message } attempts { number outcome } }\n          trainingRun(id: $run) { state isPromoted modelVersion { number metrics { name value } } reasons }\n        }\n      "): typeof import('./graphql.ts').HowItWentDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CancelOne($id: ID!) { cancelJob(input: { id: $id }) { __typename ... on Error { message } } }"): typeof import('./graphql.ts').CancelOneDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
