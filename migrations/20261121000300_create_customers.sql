-- A customer belongs to one store. Names, addresses and contact details are sealed with the data key; what must be found
-- again is found by keyed hashes (blind indexes).
CREATE TABLE customer (
  id             uuid PRIMARY KEY,
  store_id       uuid NOT NULL REFERENCES store,
  -- Sealed JSON: given, middle and family name, address, display contacts.
  person_sealed  bytea NOT NULL,
  -- Keyed hashes of name prefixes and of whole e-mail addresses and phone numbers.
  search_tokens  bytea[] NOT NULL DEFAULT '{}',
  state          text CHECK (state ~ '^[A-Z]{2}$'),
  postal_code    text,
  credit_tier    text,
  merged_into    uuid REFERENCES customer,
  version        integer NOT NULL DEFAULT 1,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL
);
CREATE INDEX customer_store_idx ON customer (store_id, updated_at DESC, id DESC) WHERE merged_into IS NULL;
CREATE INDEX customer_search_idx ON customer USING gin (search_tokens);
CREATE INDEX customer_merged_idx ON customer (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE customer_contact (
  id            uuid PRIMARY KEY,
  customer_id   uuid NOT NULL REFERENCES customer ON DELETE CASCADE,
  store_id      uuid NOT NULL REFERENCES store,
  kind          text NOT NULL CHECK (kind IN ('EMAIL', 'PHONE', 'EXTERNAL_ID')),
  -- Keyed hash of the normalised value (lower-case e-mail, E.164 phone, source:id).
  value_index   bytea NOT NULL,
  value_sealed  bytea NOT NULL,
  label         text,
  verified_at   timestamptz,
  created_at    timestamptz NOT NULL,
  CONSTRAINT customer_contact_value_key UNIQUE (customer_id, kind, value_index)
);
CREATE INDEX customer_contact_lookup_idx ON customer_contact (store_id, kind, value_index);

CREATE TABLE customer_merge (
  id             uuid PRIMARY KEY,
  store_id       uuid NOT NULL REFERENCES store,
  survivor_id    uuid NOT NULL REFERENCES customer,
  merged_id      uuid NOT NULL REFERENCES customer,
  reason         text NOT NULL,
  merged_by      uuid,
  merged_at      timestamptz NOT NULL,
  -- Ids of the rows that moved, so that the merge can be undone exactly.
  moved          jsonb NOT NULL,
  undone_at      timestamptz,
  undone_by      uuid
);
CREATE INDEX customer_merge_survivor_idx ON customer_merge (survivor_id);
-- A record is merged away at most once at a time.
CREATE UNIQUE INDEX customer_merge_active_key ON customer_merge (merged_id) WHERE undone_at IS NULL;

-- Two records that may be one person (a shared phone, the same name): shown to people, never merged by the program.
-- One row per pair, the smaller id first.
CREATE TABLE customer_link_suggestion (
  customer_id  uuid NOT NULL REFERENCES customer ON DELETE CASCADE,
  other_id     uuid NOT NULL REFERENCES customer ON DELETE CASCADE,
  store_id     uuid NOT NULL REFERENCES store,
  reason       text NOT NULL CHECK (reason IN ('SAME_EMAIL', 'SAME_PHONE', 'SAME_EXTERNAL_ID')),
  at           timestamptz NOT NULL,
  dismissed_at timestamptz,
  dismissed_by uuid,
  PRIMARY KEY (customer_id, other_id),
  CHECK (customer_id < other_id)
);
CREATE INDEX customer_link_suggestion_other_idx ON customer_link_suggestion (other_id);

CREATE TABLE consent (
  id           uuid PRIMARY KEY,
  customer_id  uuid NOT NULL REFERENCES customer ON DELETE CASCADE,
  store_id     uuid NOT NULL REFERENCES store,
  purpose      text NOT NULL CHECK (purpose IN ('EMAIL', 'PHONE', 'TEXT', 'MAIL', 'PROFILING')),
  granted      boolean NOT NULL,
  channel      text NOT NULL,
  source_id    uuid,
  at           timestamptz NOT NULL
);
CREATE INDEX consent_customer_idx ON consent (customer_id, at);

-- Whatever a channel sent, as it came. Refused or not understood is kept too, with the reason.
CREATE TABLE lead (
  id             uuid PRIMARY KEY,
  store_id       uuid NOT NULL REFERENCES store,
  channel        text NOT NULL,
  -- Position of the prospect in its document.
  ordinal        integer NOT NULL DEFAULT 0,
  source         text,
  external_id    text,
  content_sha256 bytea NOT NULL,
  status         text NOT NULL CHECK (status IN ('ACCEPTED', 'DUPLICATE', 'RESEND', 'NEEDS_PERSON')),
  status_reason  text,
  duplicate_of   uuid REFERENCES lead,
  customer_id    uuid REFERENCES customer,
  raw_sealed     bytea NOT NULL,
  -- Sealed JSON of what was understood.
  parsed_sealed  bytea,
  -- What is not personal: provider, service, vehicles of interest (year, make, model, trim, vin, stock, price).
  summary        jsonb NOT NULL DEFAULT '{}',
  requested_at   timestamptz,
  received_at    timestamptz NOT NULL,
  resolved_at    timestamptz,
  resolved_by    uuid
);
CREATE INDEX lead_customer_idx ON lead (customer_id, received_at DESC);
CREATE INDEX lead_external_idx ON lead (store_id, source, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX lead_content_idx ON lead (store_id, content_sha256);
CREATE INDEX lead_store_idx ON lead (store_id, received_at DESC, id DESC);

CREATE TABLE channel_event (
  id           uuid PRIMARY KEY,
  store_id     uuid NOT NULL REFERENCES store,
  customer_id  uuid REFERENCES customer,
  channel      text NOT NULL,
  -- asc_item_pageview, ViewContent …: the name as the sender gave it.
  name         text NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('VIEWED', 'SAVED', 'SEARCHED', 'BUILT', 'PAYMENT_CALCULATED', 'COMPARED', 'FORM_SUBMITTED', 'CONTACTED', 'OTHER')),
  source       text NOT NULL,
  external_id  text NOT NULL,
  vehicle_id   uuid REFERENCES vehicle,
  duration_seconds integer,
  properties   jsonb NOT NULL DEFAULT '{}',
  occurred_at  timestamptz NOT NULL,
  received_at  timestamptz NOT NULL,
  CONSTRAINT channel_event_source_key UNIQUE (store_id, source, external_id)
);
CREATE INDEX channel_event_customer_idx ON channel_event (customer_id, occurred_at DESC, id DESC);

-- One stated, observed or inferred wish. Stated beats observed; contradictions are shown.
CREATE TABLE preference (
  id            uuid PRIMARY KEY,
  customer_id   uuid NOT NULL REFERENCES customer,
  store_id      uuid NOT NULL REFERENCES store,
  attribute     text NOT NULL CHECK (attribute IN
                ('CONDITION', 'MAKE', 'MODEL', 'TRIM', 'MODEL_YEAR', 'BODY_STYLE', 'DRIVETRAIN', 'FUEL', 'TRANSMISSION', 'EXTERIOR_COLOR',
                 'INTERIOR_COLOR', 'ODOMETER_MILES', 'PRICE', 'MONTHLY_PAYMENT', 'DOWN_PAYMENT', 'TERM_MONTHS', 'SEATS', 'DOORS', 'MPG', 'FEATURE')),
  operator      text NOT NULL CHECK (operator IN ('IS', 'IS_NOT', 'AT_LEAST', 'AT_MOST')),
  -- Normalised text; amounts in dollars with two decimals ("450.00").
  value         text NOT NULL,
  importance    text NOT NULL CHECK (importance IN ('MUST', 'SHOULD', 'NICE')),
  kind          text NOT NULL CHECK (kind IN ('STATED', 'OBSERVED', 'INFERRED')),
  channel       text NOT NULL,
  -- What the customer did when it was observed; none for a stated wish.
  behaviour     text CHECK (behaviour IN ('VIEWED', 'SAVED', 'SEARCHED', 'BUILT', 'PAYMENT_CALCULATED', 'COMPARED', 'OWNED', 'OTHER')),
  -- How often an observation was made (viewed 5 SUVs, built $520 twice).
  occurrences   integer NOT NULL DEFAULT 1,
  confidence    numeric(4,3) NOT NULL DEFAULT 1,
  source_event_id uuid REFERENCES channel_event,
  source_lead_id  uuid REFERENCES lead,
  heard_by      uuid,
  consent_id    uuid REFERENCES consent,
  at            timestamptz NOT NULL,
  expires_at    timestamptz,
  withdrawn_at  timestamptz,
  withdrawn_by  uuid
);
CREATE INDEX preference_customer_idx ON preference (customer_id, id) WHERE withdrawn_at IS NULL;
CREATE UNIQUE INDEX preference_observed_key ON preference (customer_id, attribute, operator, value, channel, kind, coalesce(behaviour, ''))
  WHERE kind <> 'STATED' AND withdrawn_at IS NULL;
