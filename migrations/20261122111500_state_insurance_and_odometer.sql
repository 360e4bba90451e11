-- What is stated at the hand-over. Null for cars that were handed over before it was asked for.
ALTER TABLE deal_delivery
  -- 49 CFR 580.5(e): the mileage is actual, beyond the odometer's limits, or not actual. Null for a car that needs no statement.
  ADD COLUMN odometer_brand text CHECK (odometer_brand IN ('ACTUAL', 'EXCEEDS_LIMITS', 'NOT_ACTUAL')),
  -- The customer's insurance card, as the salesperson saw it.
  ADD COLUMN insurer text CHECK (length(insurer) BETWEEN 1 AND 100),
  ADD COLUMN policy_number_sealed bytea,
  ADD COLUMN insured_from date,
  ADD COLUMN insured_until date,
  ADD CONSTRAINT deal_delivery_insured CHECK (num_nulls(insurer, policy_number_sealed, insured_from) IN (0, 3));
