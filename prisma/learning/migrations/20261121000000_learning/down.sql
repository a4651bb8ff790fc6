-- The way back. Every row of the learning schema is lost.
DROP VIEW "BehavioralPattern", "PerformanceMetric", "Progress";
DROP TABLE "Cancellation", "Payment", "Subscription", "Exam", "StudySession", "Activity", "Review", "Attempt", "Enrollment",
  "Prerequisite", "Objective", "Presentation", "Course", "Learner";
DROP TYPE "Plan", "ActivityKind", "Complexity", "ContentType", "ObjectiveType";
