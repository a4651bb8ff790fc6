-- The way back. Budgets, what was spent, and the answers kept for those who come back are lost.
DROP TABLE "Completion", "BudgetLedger", "BudgetReservation", "BudgetWindow", "Budget";
DROP FUNCTION "expire_budget"(timestamptz);
DROP FUNCTION "settle_budget"(uuid, numeric, integer, integer, integer, text, timestamptz);
DROP FUNCTION "move_budget"(jsonb, numeric, numeric);
DROP FUNCTION "reserve_budget"(uuid, numeric, text, text, text, text, text, timestamptz, timestamptz);
DROP FUNCTION "budget_windows"(text, text, text, timestamptz);
DROP FUNCTION "refuse_ledger_change"();
DROP TYPE "CompletionState", "BudgetEntry", "BudgetPeriod", "BudgetScope";
