-- What the law lets a seller keep when a buyer brings a car back: a fee for taking it back, in percent points of the car's price between a
-- least and a most, and so much for each mile driven beyond the free ones. The two parts are checked by a person separately.
ALTER TABLE delivery_law
  ADD COLUMN restock_percent   numeric(9,6) CHECK (restock_percent BETWEEN 0 AND 100),
  ADD COLUMN restock_min_cents bigint CHECK (restock_min_cents >= 0),
  ADD COLUMN restock_max_cents bigint CHECK (restock_max_cents >= 0),
  ADD COLUMN mile_fee_cents    bigint CHECK (mile_fee_cents > 0),
  ADD COLUMN mile_fee_free     integer CHECK (mile_fee_free >= 0),
  ADD COLUMN mile_fee_max_cents bigint CHECK (mile_fee_max_cents > 0),
  ADD COLUMN mile_fee_verified boolean,
  ADD CONSTRAINT delivery_law_fees_of_returns CHECK (kind = 'RETURN' OR num_nonnulls(restock_percent, mile_fee_cents) = 0),
  ADD CONSTRAINT delivery_law_restock CHECK (restock_percent IS NOT NULL OR num_nonnulls(restock_min_cents, restock_max_cents) = 0),
  ADD CONSTRAINT delivery_law_restock_rises CHECK (restock_min_cents <= restock_max_cents),
  ADD CONSTRAINT delivery_law_mile_fee CHECK (num_nulls(mile_fee_cents, mile_fee_free, mile_fee_verified) IN (0, 3)),
  ADD CONSTRAINT delivery_law_mile_fee_max CHECK (mile_fee_cents IS NOT NULL OR mile_fee_max_cents IS NULL);

-- The same, as it stood when the car was handed over, and what came of it when the car came back.
ALTER TABLE deal_delivery
  -- What the fee is a share of, and what the customer had paid.
  ADD COLUMN return_price_cents       bigint,
  ADD COLUMN return_paid_cents        bigint,
  ADD COLUMN return_restock_percent   numeric(9,6),
  ADD COLUMN return_restock_min_cents bigint,
  ADD COLUMN return_restock_max_cents bigint,
  ADD COLUMN return_mile_fee_cents    bigint,
  ADD COLUMN return_mile_fee_free     integer,
  ADD COLUMN return_mile_fee_max_cents bigint,
  ADD COLUMN return_mile_fee_verified boolean,
  ADD COLUMN returned_at              timestamptz,
  ADD COLUMN returned_odometer_miles  integer,
  ADD COLUMN restocking_fee_cents     bigint CHECK (restocking_fee_cents >= 0),
  ADD COLUMN mileage_fee_cents        bigint CHECK (mileage_fee_cents >= 0);
UPDATE deal_delivery h SET return_price_cents = d.price_cents,
    return_paid_cents = greatest(0, coalesce(q.due_at_signing_cents, coalesce(d.amount_financed_cents, 0) + d.down_payment_cents))
  FROM deal d LEFT JOIN finance_quote q ON q.id = d.accepted_finance_quote_id
  WHERE d.id = h.deal_id AND h.return_until IS NOT NULL;
ALTER TABLE deal_delivery
  ADD CONSTRAINT deal_delivery_return_base CHECK (num_nulls(return_until, return_price_cents, return_paid_cents) IN (0, 3)),
  ADD CONSTRAINT deal_delivery_return_mile_fee CHECK (num_nulls(return_mile_fee_cents, return_mile_fee_free, return_mile_fee_verified) IN (0, 3)),
  ADD CONSTRAINT deal_delivery_returned
    CHECK (num_nulls(returned_at, returned_odometer_miles, restocking_fee_cents, mileage_fee_cents) IN (0, 4));
