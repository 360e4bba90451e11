-- What a tablet did while it was offline. A row says how the operation is to be applied, decided once and committed before it is
-- applied: a replay that was cut in the middle goes on where it was, and a second replay finds the same answers.
CREATE TABLE offline_operation (
  user_id        uuid NOT NULL REFERENCES app_user,
  tablet_id      text NOT NULL,
  -- Made by the tablet, kept before it was queued.
  id             text NOT NULL,
  content_sha256 bytea NOT NULL,
  deal_id        uuid REFERENCES deal,
  -- Which try, the version it is applied to, and the parts in conflict, which are left out.
  attempt        integer NOT NULL,
  plan           jsonb NOT NULL,
  created_at     timestamptz NOT NULL,
  PRIMARY KEY (user_id, tablet_id, id)
);

-- Figures a customer was shown from what the tablet knew while it was offline. Indicative: nobody can accept them.
CREATE TABLE indicative_quote (
  id            uuid PRIMARY KEY,
  deal_id       uuid NOT NULL REFERENCES deal ON DELETE CASCADE,
  label         text NOT NULL,
  payment_cents bigint CHECK (payment_cents >= 0),
  total_price_cents bigint CHECK (total_price_cents >= 0),
  term_months   integer CHECK (term_months BETWEEN 1 AND 120),
  -- When the tablet fetched the rules or figures it showed.
  rules_as_of   timestamptz NOT NULL,
  -- By the tablet's clock.
  shown_at      timestamptz NOT NULL,
  recorded_by   uuid NOT NULL,
  recorded_at   timestamptz NOT NULL
);
CREATE INDEX indicative_quote_deal_idx ON indicative_quote (deal_id, id);
