-- Fees of the store that this deal does not pay, or not in full: [{"code": "DOC", "amount": 8500}]. One document, since it is only
-- ever read and written whole; null is the usual deal. Beyond a rule a manager must say yes.
ALTER TABLE deal ADD COLUMN fee_waivers jsonb CHECK (jsonb_typeof(fee_waivers) = 'array');

ALTER TABLE approval_rule DROP CONSTRAINT approval_rule_kind_check;
ALTER TABLE approval_rule ADD CONSTRAINT approval_rule_kind_check CHECK (kind IN
  ('DISCOUNT', 'FRONT_GROSS', 'OVER_ALLOWANCE', 'RATE_MARKUP', 'TERM', 'LOAN_TO_VALUE', 'BACK_END', 'FEE_WAIVER'));
