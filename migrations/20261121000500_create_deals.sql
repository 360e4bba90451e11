CREATE TABLE deal (
  id                 uuid PRIMARY KEY,
  store_id           uuid NOT NULL REFERENCES store,
  number             bigint GENERATED ALWAYS AS IDENTITY,
  customer_id        uuid NOT NULL REFERENCES customer,
  vehicle_id         uuid NOT NULL REFERENCES vehicle,
  salesperson_id     uuid NOT NULL REFERENCES app_user,
  state              text NOT NULL CHECK (state IN
                     ('DRAFT', 'WORKSHEET', 'PRESENTED', 'AGREED', 'CREDIT_SUBMITTED', 'CREDIT_DECIDED', 'DOCS_READY', 'CONTRACTED',
                      'DELIVERED', 'FUNDED', 'CLOSED', 'LOST', 'EXPIRED', 'CANCELLED', 'UNWOUND', 'RETURNED')),
  version            integer NOT NULL DEFAULT 1,
  -- The structure: what was put on the table.
  kind               text NOT NULL CHECK (kind IN ('CASH', 'RETAIL', 'LEASE')),
  currency           text NOT NULL,
  price_cents        bigint NOT NULL CHECK (price_cents >= 0),
  down_payment_cents bigint NOT NULL DEFAULT 0 CHECK (down_payment_cents >= 0),
  manufacturer_rebate_cents bigint NOT NULL DEFAULT 0 CHECK (manufacturer_rebate_cents >= 0),
  dealer_rebate_cents bigint NOT NULL DEFAULT 0 CHECK (dealer_rebate_cents >= 0),
  term_months        integer CHECK (term_months BETWEEN 1 AND 120),
  annual_miles       integer CHECK (annual_miles BETWEEN 1000 AND 100000),
  credit_tier        text NOT NULL,
  buyer_jurisdiction text NOT NULL,
  first_payment_days integer NOT NULL DEFAULT 30 CHECK (first_payment_days BETWEEN 0 AND 90),
  -- Results of the structure with the chosen quote, so that lists need no calculation. Null until priced.
  tax_cents          bigint,
  fees_cents         bigint,
  amount_financed_cents bigint,
  payment_cents      bigint,
  -- True while payment_cents is that of the best program for these terms, not of an accepted quote.
  payment_is_estimate boolean NOT NULL DEFAULT true,
  total_price_cents  bigint,
  figures_verified   boolean NOT NULL DEFAULT false,
  -- Every line of the figures, in order; read only when asked for.
  figure_lines       jsonb NOT NULL DEFAULT '[]',
  accepted_finance_quote_id   uuid,
  accepted_insurance_quote_id uuid,
  lost_reason        text,
  opened_at          timestamptz NOT NULL,
  presented_at       timestamptz,
  agreed_at          timestamptz,
  contracted_at      timestamptz,
  ended_at           timestamptz,
  updated_at         timestamptz NOT NULL,
  CONSTRAINT deal_number_key UNIQUE (number),
  -- Priced wholly or not at all.
  CHECK (num_nulls(tax_cents, fees_cents, amount_financed_cents, total_price_cents) IN (0, 4))
) WITH (fillfactor = 80);
CREATE INDEX deal_store_idx ON deal (store_id, updated_at DESC, id DESC);
CREATE INDEX deal_customer_idx ON deal (customer_id, opened_at DESC);
CREATE INDEX deal_vehicle_idx ON deal (vehicle_id);
ALTER TABLE vehicle_hold ADD CONSTRAINT vehicle_hold_deal_fkey FOREIGN KEY (deal_id) REFERENCES deal;

CREATE TABLE trade_in (
  id               uuid PRIMARY KEY,
  deal_id          uuid NOT NULL REFERENCES deal ON DELETE CASCADE,
  ordinal          integer NOT NULL,
  vin              text,
  model_year       integer NOT NULL,
  make             text NOT NULL,
  model            text NOT NULL,
  odometer_miles   integer,
  allowance_cents  bigint NOT NULL CHECK (allowance_cents >= 0),
  actual_cash_value_cents bigint CHECK (actual_cash_value_cents >= 0),
  payoff_cents     bigint NOT NULL DEFAULT 0 CHECK (payoff_cents >= 0),
  payoff_good_through date,
  CONSTRAINT trade_in_ordinal_key UNIQUE (deal_id, ordinal)
);

CREATE TABLE deal_product (
  id           uuid PRIMARY KEY,
  deal_id      uuid NOT NULL REFERENCES deal ON DELETE CASCADE,
  product_id   uuid NOT NULL REFERENCES product,
  ordinal      integer NOT NULL,
  price_cents  bigint NOT NULL CHECK (price_cents >= 0),
  CONSTRAINT deal_product_key UNIQUE (deal_id, product_id)
);

-- A structure set aside to compare with ("with the trade", "longer term").
CREATE TABLE deal_scenario (
  id          uuid PRIMARY KEY,
  deal_id     uuid NOT NULL REFERENCES deal ON DELETE CASCADE,
  label       text NOT NULL,
  structure   jsonb NOT NULL,
  figures     jsonb NOT NULL,
  created_by  uuid NOT NULL,
  created_at  timestamptz NOT NULL
);
CREATE INDEX deal_scenario_deal_idx ON deal_scenario (deal_id, id);

-- A quote is never changed, only superseded: inputs, rule versions and engine version make it replayable.
CREATE TABLE finance_quote (
  id                    uuid PRIMARY KEY,
  deal_id               uuid NOT NULL REFERENCES deal ON DELETE CASCADE,
  deal_version          integer NOT NULL,
  program_id            uuid NOT NULL REFERENCES lender_program,
  kind                  text NOT NULL CHECK (kind IN ('RETAIL', 'LEASE')),
  status                text NOT NULL CHECK (status IN ('QUOTED', 'ACCEPTED', 'SUPERSEDED', 'EXPIRED')),
  term_months           integer NOT NULL,
  sell_rate             numeric(9,6),
  money_factor          numeric(9,8),
  apr                   numeric(9,4),
  payment_cents         bigint NOT NULL,
  amount_financed_cents bigint NOT NULL,
  finance_charge_cents  bigint NOT NULL,
  total_of_payments_cents bigint NOT NULL,
  due_at_signing_cents  bigint NOT NULL,
  verified              boolean NOT NULL,
  engine_version        text NOT NULL,
  inputs                jsonb NOT NULL,
  result                jsonb NOT NULL,
  created_at            timestamptz NOT NULL,
  expires_at            timestamptz NOT NULL
);
CREATE INDEX finance_quote_deal_idx ON finance_quote (deal_id, id);

CREATE TABLE insurance_quote (
  id                    uuid PRIMARY KEY,
  deal_id               uuid NOT NULL REFERENCES deal ON DELETE CASCADE,
  deal_version          integer NOT NULL,
  insurer_id            uuid NOT NULL REFERENCES insurer,
  status                text NOT NULL CHECK (status IN ('QUOTED', 'ACCEPTED', 'SUPERSEDED', 'EXPIRED')),
  term_months           integer NOT NULL,
  premium_cents         bigint NOT NULL,
  monthly_premium_cents bigint NOT NULL,
  verified              boolean NOT NULL,
  engine_version        text NOT NULL,
  inputs                jsonb NOT NULL,
  result                jsonb NOT NULL,
  created_at            timestamptz NOT NULL,
  expires_at            timestamptz NOT NULL
);
CREATE INDEX insurance_quote_deal_idx ON insurance_quote (deal_id, id);
