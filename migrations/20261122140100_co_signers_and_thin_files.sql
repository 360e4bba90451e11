-- What a lender makes of somebody who signs with the buyer. Until it says so, nothing: the buyer's score, income and debts.
--   joint_score   which of the two scores counts; AVERAGE is rounded down
--   joint_income  both incomes and both debts are in the ratios
-- A thin credit file is an adder like the others: {"label", "subject": "TRADE_LINES", "up_to": 3, "points": "2"}.
ALTER TABLE lender_program
  ADD COLUMN joint_score text NOT NULL DEFAULT 'PRIMARY' CHECK (joint_score IN ('PRIMARY', 'AVERAGE', 'HIGHER', 'LOWER')),
  ADD COLUMN joint_income boolean NOT NULL DEFAULT false;
