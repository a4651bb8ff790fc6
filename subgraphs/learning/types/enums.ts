import type { LearningBuilder } from '../builder.ts'
import { progressStates } from '../rows/progress.ts'

export type Enums = ReturnType<typeof registerEnums>

/** Registers the enums; their values are those of the database. */
export function registerEnums(builder: LearningBuilder) {
  return {
    ObjectiveType: builder.enumType('ObjectiveType', {
      description: 'What kind of thing shows that an objective was learnt.',
      values: {
        LESSON: { description: 'A lesson.' },
        QUIZ: { description: 'A quiz.' },
        ASSIGNMENT: { description: 'Work marked by a tutor.' },
        COMPUTER_MARKED: { description: 'Work marked by a computer.' },
        EXAM: { description: 'An exam.' },
      },
    }),
    ContentType: builder.enumType('ContentType', {
      description: 'What kind of material is worked with.',
      values: {
        TEXT: { description: 'Reading.' },
        VIDEO: { description: 'Videos.' },
        EXERCISE: { description: 'Exercises.' },
        DISCUSSION: { description: 'Discussion with others.' },
      },
    }),
    Complexity: builder.enumType('Complexity', {
      description: 'How demanding an objective is.',
      values: {
        BASIC: { description: 'Basic.' },
        INTERMEDIATE: { description: 'Intermediate.' },
        ADVANCED: { description: 'Advanced.' },
      },
    }),
    ActivityKind: builder.enumType('ActivityKind', {
      description: "What was clicked on in a presentation's pages.",
      values: {
        CONTENT: { description: 'Content of the course.' },
        FORUM: { description: 'The forum.' },
        QUIZ: { description: 'Quizzes.' },
        RESOURCE: { description: 'Resources to download.' },
        OTHER: { description: 'Anything else.' },
      },
    }),
    Plan: builder.enumType('Plan', {
      description: 'What a subscription buys.',
      values: {
        BASIC: { description: 'The basic plan.' },
        PRO: { description: 'The professional plan.' },
        TEAM: { description: 'The plan for teams.' },
      },
    }),
    ProgressState: builder.enumType('ProgressState', {
      description: 'How a learner stands with an objective.',
      values: progressStates,
    }),
  }
}
