-- Money a customer leaves so that a car is kept for them. What was asked of the payment partner is a row of its own, written
-- before anything is sent: a request whose answer was lost is asked about again under the same id, never sent as a new one.
CREATE TABLE deposit (
  id                uuid PRIMARY KEY,
  store_id          uuid NOT NULL REFERENCES store,
  deal_id           uuid NOT NULL REFERENCES deal,
  hold_id           uuid NOT NULL REFERENCES vehicle_hold,
  amount_cents      bigint NOT NULL CHECK (amount_cents > 0),
  currency          text NOT NULL,
  refundable        boolean NOT NULL,
  status            text NOT NULL CHECK (status IN
                    ('AUTHORIZING', 'AUTHORIZED', 'DECLINED', 'CAPTURING', 'CAPTURED', 'VOIDING', 'VOIDED')),
  -- The hold ended without a sale: void as soon as it is known what there is to void.
  void_wanted       boolean NOT NULL DEFAULT false,
  -- The partner's id of the authorization.
  partner_reference text,
  -- Why the partner last said no, in its code.
  refused_code      text,
  created_by        uuid NOT NULL,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL
);
-- A deal has one deposit that counts; the constraint decides, not the code.
CREATE UNIQUE INDEX deposit_open_key ON deposit (deal_id) WHERE status NOT IN ('DECLINED', 'VOIDED');
CREATE INDEX deposit_deal_idx ON deposit (deal_id, id);
CREATE INDEX deposit_hold_idx ON deposit (hold_id);

CREATE TABLE payment_request (
  -- Ours, sent with every try; the partner executes it once.
  id            uuid PRIMARY KEY,
  deposit_id    uuid NOT NULL REFERENCES deposit,
  kind          text NOT NULL CHECK (kind IN ('AUTHORIZE', 'CAPTURE', 'VOID')),
  -- WAITING: never sent. UNKNOWN: sent, or about to be, and no clear answer yet. DONE, REFUSED: final.
  state         text NOT NULL CHECK (state IN ('WAITING', 'UNKNOWN', 'DONE', 'REFUSED')),
  -- The card's one-time token, sealed; forgotten when the outcome is known.
  token_sealed  bytea,
  tries         integer NOT NULL DEFAULT 0,
  next_try_at   timestamptz,
  -- Why the outcome is not known: TIMEOUT, CONNECTION, STATUS_503, UNREADABLE …
  problem       text,
  created_at    timestamptz NOT NULL,
  settled_at    timestamptz,
  CHECK ((state IN ('DONE', 'REFUSED')) = (settled_at IS NOT NULL)),
  CHECK ((state IN ('DONE', 'REFUSED')) = (next_try_at IS NULL))
);
CREATE UNIQUE INDEX payment_request_open_key ON payment_request (deposit_id) WHERE settled_at IS NULL;
CREATE INDEX payment_request_due_idx ON payment_request (next_try_at) WHERE settled_at IS NULL;
