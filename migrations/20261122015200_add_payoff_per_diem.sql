-- A payoff figure stands until a day; the lender adds interest for each later day until it is paid.
ALTER TABLE trade_in ADD COLUMN payoff_per_diem_cents bigint NOT NULL DEFAULT 0 CHECK (payoff_per_diem_cents >= 0);
