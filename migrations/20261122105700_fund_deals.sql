-- The lender's money for a delivered deal, as a manager states it from the bank's advice.
CREATE TABLE deal_funding (
  deal_id      uuid PRIMARY KEY REFERENCES deal,
  store_id     uuid NOT NULL REFERENCES store,
  lender_id    uuid NOT NULL REFERENCES lender,
  -- What arrived: the amount financed, and what the lender added or kept.
  amount_cents bigint NOT NULL CHECK (amount_cents > 0),
  -- The day it arrived, at the store.
  funded_on    date NOT NULL,
  -- The lender's or the bank's number of the payment.
  reference    text CHECK (length(reference) BETWEEN 1 AND 100),
  recorded_at  timestamptz NOT NULL,
  recorded_by  uuid NOT NULL REFERENCES app_user
);
