-- What rate sheets say beyond a rate: ratios, adders, caps on products and reserve, special rates, lease options.
-- Percent columns hold percent points. Lists are JSON arrays, read and checked whole when the rules are loaded:
--   adders          [{"label", "subject", "above", "up_to", "points"}]  points added to (negative: taken off) the rate; `above` excluded,
--                   `up_to` included; LOAN_TO_VALUE counts hundredths of a percent, AMOUNT_FINANCED cents, the others whole units
--   term_minimums   [{"above_months", "min_financed"}]                  longer terms ask for a larger amount, in cents
--   markup_caps     [{"states", "above_months", "points"}]              most points above the buy rate, by law or by the lender
--   mileage_steps   [{"annual_miles", "points"}]                        residual by miles a year; replaces the step per 3,000 miles
ALTER TABLE lender_program
  ADD COLUMN max_front_ltv_percent numeric(7,3),
  ADD COLUMN max_pti_percent numeric(7,3),
  ADD COLUMN max_dti_percent numeric(7,3),
  ADD COLUMN adders jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN term_minimums jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN markup_caps jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN mileage_steps jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN max_backend_cents bigint CHECK (max_backend_cents >= 0),
  ADD COLUMN max_backend_percent numeric(7,3),                          -- of the collateral's value
  ADD COLUMN max_service_contract_cents bigint CHECK (max_service_contract_cents >= 0),
  ADD COLUMN max_service_contract_percent numeric(7,3),                 -- of the collateral's value
  ADD COLUMN max_gap_cents bigint CHECK (max_gap_cents >= 0),
  ADD COLUMN flat_reserve_percent numeric(6,3) NOT NULL DEFAULT 0,      -- of the amount financed, beside the flat amount
  ADD COLUMN max_reserve_cents bigint CHECK (max_reserve_cents >= 0),
  ADD COLUMN subvented boolean NOT NULL DEFAULT false,                  -- a special rate, given in place of the manufacturer's rebate
  ADD COLUMN balloon_percent numeric(6,3) CHECK (balloon_percent BETWEEN 0 AND 100),  -- retail: of the list price, due with the last payment
  ADD COLUMN max_deposits integer NOT NULL DEFAULT 0 CHECK (max_deposits BETWEEN 0 AND 20),   -- lease: multiple security deposits
  ADD COLUMN deposit_factor numeric(9,8) NOT NULL DEFAULT 0,            -- what each takes off the money factor
  ADD COLUMN deposit_step_cents bigint NOT NULL DEFAULT 0 CHECK (deposit_step_cents >= 0),    -- a deposit is the payment rounded up to this
  ADD COLUMN one_pay_factor numeric(9,8),                               -- lease: taken off the money factor when all is paid at once; none: not offered
  ADD COLUMN purchase_option_fee_cents bigint NOT NULL DEFAULT 0,
  ADD COLUMN late_after_days integer,
  ADD COLUMN late_percent numeric(6,3),
  ADD COLUMN late_max_cents bigint;
ALTER TABLE lender_program DROP CONSTRAINT lender_program_collateral_basis_check;
ALTER TABLE lender_program ADD CONSTRAINT lender_program_collateral_basis_check
  CHECK (collateral_basis IN ('INVOICE', 'MSRP', 'PRICE', 'BOOK_WHOLESALE', 'BOOK_RETAIL'));
