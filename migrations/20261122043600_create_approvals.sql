-- What a salesperson may not decide alone: dated rows. A store's own row stands in for the group's of the same kind.
-- Limits are in hundredths of the kind's unit: dollars (so cents), percent points or months. One column, because a kind has one unit.
CREATE TABLE approval_rule (
  id               uuid PRIMARY KEY,
  group_id         uuid NOT NULL REFERENCES dealer_group,
  store_id         uuid REFERENCES store,
  kind             text NOT NULL CHECK (kind IN
                   ('DISCOUNT', 'FRONT_GROSS', 'OVER_ALLOWANCE', 'RATE_MARKUP', 'TERM', 'LOAN_TO_VALUE', 'BACK_END')),
  effective        daterange NOT NULL,
  -- Beyond it (for FRONT_GROSS: below it) a manager is asked.
  limit_hundredths bigint NOT NULL CHECK (limit_hundredths >= 0),
  -- Beyond it only a group admin may say yes.
  admin_limit_hundredths bigint CHECK (admin_limit_hundredths >= 0),
  -- Minutes without an answer after which the group's admins are told too, and after which the question is given up.
  escalate_minutes integer NOT NULL CHECK (escalate_minutes BETWEEN 1 AND 10080),
  answer_minutes   integer NOT NULL CHECK (answer_minutes BETWEEN 1 AND 10080),
  -- Minutes a yes or a counter-offer stands.
  valid_minutes    integer NOT NULL CHECK (valid_minutes BETWEEN 1 AND 525600),
  CONSTRAINT approval_rule_overlap EXCLUDE USING gist (coalesce(store_id, group_id) WITH =, kind WITH =, effective WITH &&)
);
CREATE TRIGGER approval_rule_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON approval_rule
  FOR EACH STATEMENT EXECUTE FUNCTION announce_rules();

-- A question to a manager about exactly these figures, and the answer.
CREATE TABLE approval (
  id             uuid PRIMARY KEY,
  -- The order in which they were asked.
  ordinal        bigint GENERATED ALWAYS AS IDENTITY,
  store_id       uuid NOT NULL REFERENCES store,
  deal_id        uuid NOT NULL REFERENCES deal ON DELETE CASCADE,
  status         text NOT NULL CHECK (status IN ('PENDING', 'APPROVED', 'DECLINED', 'COUNTERED', 'FELL', 'EXPIRED')),
  -- The least role that may answer.
  level          text NOT NULL CHECK (level IN ('SALES_MANAGER', 'GROUP_ADMIN')),
  -- SHA-256 of the car and everything that was on the table. A yes counts for nothing else.
  figures_hash   bytea NOT NULL,
  findings       jsonb NOT NULL,
  figures        jsonb NOT NULL,
  note           text,
  requested_by   uuid NOT NULL REFERENCES app_user,
  salesperson_id uuid NOT NULL REFERENCES app_user,
  requested_at   timestamptz NOT NULL,
  escalates_at   timestamptz NOT NULL,
  escalated_at   timestamptz,
  expires_at     timestamptz NOT NULL,
  -- How long an answer stands.
  valid_minutes  integer NOT NULL,
  decided_by     uuid REFERENCES app_user,
  decided_at     timestamptz,
  decision_note  text,
  counter        jsonb,
  -- When it fell or expired.
  closed_at      timestamptz,
  CONSTRAINT approval_two_people CHECK (decided_by <> requested_by AND decided_by <> salesperson_id),
  CHECK (status NOT IN ('APPROVED', 'DECLINED', 'COUNTERED') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)),
  CHECK (status <> 'COUNTERED' OR counter IS NOT NULL)
);
-- A deal has at most one question that is open or answered with something that still stands.
CREATE UNIQUE INDEX approval_live_key ON approval (deal_id) WHERE status IN ('PENDING', 'APPROVED', 'COUNTERED');
CREATE INDEX approval_deal_idx ON approval (deal_id, ordinal DESC);
CREATE INDEX approval_store_idx ON approval (store_id, id DESC);
CREATE INDEX approval_waiting_idx ON approval (expires_at) WHERE status IN ('PENDING', 'COUNTERED');

-- The lender's rate behind the customer's, so that what the store adds can be seen without opening the whole quote.
ALTER TABLE finance_quote ADD COLUMN buy_rate numeric(9,6);
