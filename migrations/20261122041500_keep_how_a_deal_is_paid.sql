-- How a contract or lease is paid, beside price, money down and term: how often, what of the down payment is paid later, a
-- balloon, security deposits, income for lenders' ratios. One document, since it is only ever read and written whole and
-- nothing is looked up by it; null is the usual way (monthly, nothing else).
ALTER TABLE deal ADD COLUMN payment_plan jsonb CHECK (jsonb_typeof(payment_plan) = 'object');
