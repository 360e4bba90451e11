-- Laws, taxes, fees, lender programs and insurance rates: dated rows with their source. Nothing of this is a constant in code.
-- effective is a half-open range of days; overlapping rows of one key are refused by the database.

CREATE TABLE tax_jurisdiction (
  code    text PRIMARY KEY,           -- 'TX', 'FL-MIAMI-DADE', 'NY-NYC'
  state   text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
  name    text NOT NULL
);
-- The buyer's place picks the jurisdiction: the longest matching ZIP prefix wins, else the state's own row.
CREATE TABLE tax_jurisdiction_postal (
  postal_prefix text NOT NULL,
  jurisdiction  text NOT NULL REFERENCES tax_jurisdiction,
  PRIMARY KEY (postal_prefix, jurisdiction)
);

CREATE TABLE tax_rule (
  id                  uuid PRIMARY KEY,
  jurisdiction        text NOT NULL REFERENCES tax_jurisdiction,
  effective           daterange NOT NULL,
  scheme              text NOT NULL CHECK (scheme IN ('SALES', 'HIGHWAY_USE', 'TITLE_AD_VALOREM', 'EXCISE', 'NONE')),
  state_rate          numeric(9,6) NOT NULL CHECK (state_rate BETWEEN 0 AND 100),   -- percent
  local_rate          numeric(9,6) NOT NULL DEFAULT 0 CHECK (local_rate BETWEEN 0 AND 100),
  local_rule          text NOT NULL CHECK (local_rule IN ('NONE', 'STACKED', 'CAPPED_BASE')),
  local_base_cap_cents bigint,
  trade_policy        text NOT NULL CHECK (trade_policy IN ('NONE', 'FULL', 'CAPPED', 'NEW_ONLY')),
  trade_cap_cents     bigint,
  trade_cap_count     integer,
  manufacturer_rebate_reduces_base boolean NOT NULL,
  dealer_rebate_reduces_base       boolean NOT NULL,
  doc_fee_taxable     boolean NOT NULL,
  service_contract_taxable boolean NOT NULL DEFAULT false,
  gap_taxable         boolean NOT NULL DEFAULT false,
  other_product_taxable boolean NOT NULL DEFAULT true,
  lease_method        text NOT NULL CHECK (lease_method IN ('PER_PAYMENT', 'UPFRONT_TOTAL', 'ON_PRICE', 'NONE')),
  lease_reduction_taxable boolean NOT NULL DEFAULT true,
  lease_trade_credit  boolean NOT NULL DEFAULT false,
  minimum_tax_cents   bigint NOT NULL DEFAULT 0,
  maximum_tax_cents   bigint,                                 -- a ceiling on the whole tax (SC)
  -- A first part of the base with a fixed tax in place of the rate (OK, used vehicles).
  first_base_cents    bigint,
  first_tax_cents     bigint NOT NULL DEFAULT 0,
  negative_equity_in_base boolean NOT NULL DEFAULT false,
  source              text NOT NULL,
  source_read_on      date NOT NULL,
  verified            boolean NOT NULL,                       -- what concerns purchases was checked by a person
  lease_verified      boolean NOT NULL,                       -- what concerns leases was
  note                text,
  CHECK (local_rule <> 'CAPPED_BASE' OR local_base_cap_cents IS NOT NULL),
  CHECK (trade_policy <> 'CAPPED' OR trade_cap_cents IS NOT NULL),
  CONSTRAINT tax_rule_overlap EXCLUDE USING gist (jurisdiction WITH =, effective WITH &&)
);

CREATE TABLE fee_rule (
  id             uuid PRIMARY KEY,
  -- Government fees hang on a jurisdiction, the store's own (document fee …) on the store.
  jurisdiction   text REFERENCES tax_jurisdiction,
  store_id       uuid REFERENCES store,
  code           text NOT NULL,        -- DOC, TITLE, REGISTRATION, PLATE, E_FILING …
  label          text NOT NULL,
  amount_cents   bigint NOT NULL CHECK (amount_cents >= 0),
  -- The law's ceiling for this fee, where there is one.
  cap_cents      bigint,
  applies_to     text NOT NULL DEFAULT 'ALL' CHECK (applies_to IN ('ALL', 'PURCHASE', 'LEASE')),
  effective      daterange NOT NULL,
  source         text NOT NULL,
  source_read_on date NOT NULL,
  verified       boolean NOT NULL,
  CHECK ((jurisdiction IS NULL) <> (store_id IS NULL)),
  CONSTRAINT fee_rule_overlap EXCLUDE USING gist (coalesce(jurisdiction, store_id::text) WITH =, code WITH =, effective WITH &&)
);

CREATE TABLE lender (
  id            uuid PRIMARY KEY,
  group_id      uuid NOT NULL REFERENCES dealer_group,
  code          text NOT NULL,
  name          text NOT NULL,
  accrual_basis text NOT NULL CHECK (accrual_basis IN ('ACTUAL_365', 'ACTUAL_360', 'THIRTY_360')),
  CONSTRAINT lender_code_key UNIQUE (group_id, code)
);

CREATE TABLE lender_program (
  id                  uuid PRIMARY KEY,
  lender_id           uuid NOT NULL REFERENCES lender,
  code                text NOT NULL,
  name                text NOT NULL,
  kind                text NOT NULL CHECK (kind IN ('RETAIL', 'LEASE')),
  effective           daterange NOT NULL,
  states              text[] NOT NULL DEFAULT '{}',           -- empty: every state
  conditions          text[] NOT NULL,                        -- NEW, USED, CERTIFIED
  max_age_years       integer,
  max_odometer_miles  integer,
  credit_tier         text NOT NULL,
  score_min           integer,
  score_max           integer,
  term_min_months     integer NOT NULL,
  term_max_months     integer NOT NULL,
  min_financed_cents  bigint NOT NULL DEFAULT 0,
  max_financed_cents  bigint NOT NULL,
  max_ltv_percent     numeric(7,3) NOT NULL,
  collateral_basis    text NOT NULL CHECK (collateral_basis IN ('INVOICE', 'MSRP', 'PRICE')),
  -- Retail: annual percent. Lease: the money factor's equivalent is not used; see money_factor.
  buy_rate            numeric(9,6),
  max_markup          numeric(9,6) NOT NULL DEFAULT 0,
  flat_reserve_cents  bigint NOT NULL DEFAULT 0,
  reserve_split_percent numeric(6,3) NOT NULL DEFAULT 75,     -- the dealer's share of the markup's present value
  money_factor        numeric(9,8),
  residual_percent    numeric(6,3),                           -- lease, at 12,000 miles a year and this term
  residual_step_percent numeric(6,3),                         -- lease, per 3,000 miles a year more or less
  acquisition_fee_cents bigint NOT NULL DEFAULT 0,            -- lease: capitalized; retail: origination fee, a prepaid finance charge
  disposition_fee_cents bigint NOT NULL DEFAULT 0,
  excess_mile_cents   integer,
  source              text NOT NULL,
  verified            boolean NOT NULL,
  CHECK ((kind = 'RETAIL') = (buy_rate IS NOT NULL)),
  CHECK ((kind = 'LEASE') = (money_factor IS NOT NULL AND residual_percent IS NOT NULL)),
  CONSTRAINT lender_program_overlap EXCLUDE USING gist (lender_id WITH =, code WITH =, effective WITH &&)
);

CREATE TABLE insurer (
  id        uuid PRIMARY KEY,
  group_id  uuid NOT NULL REFERENCES dealer_group,
  code      text NOT NULL,
  name      text NOT NULL,
  CONSTRAINT insurer_code_key UNIQUE (group_id, code)
);
-- Base premium per coverage for a six-month term, in cents, before factors.
CREATE TABLE insurance_rate (
  id            uuid PRIMARY KEY,
  insurer_id    uuid NOT NULL REFERENCES insurer,
  state         text NOT NULL,
  coverage      text NOT NULL CHECK (coverage IN ('BODILY_INJURY', 'PROPERTY_DAMAGE', 'UNINSURED_MOTORIST', 'MEDICAL', 'COMPREHENSIVE', 'COLLISION')),
  base_cents    bigint NOT NULL CHECK (base_cents >= 0),
  effective     daterange NOT NULL,
  source        text NOT NULL,
  verified      boolean NOT NULL,
  CONSTRAINT insurance_rate_overlap EXCLUDE USING gist (insurer_id WITH =, state WITH =, coverage WITH =, effective WITH &&)
);
CREATE TABLE insurance_factor (
  id          uuid PRIMARY KEY,
  insurer_id  uuid NOT NULL REFERENCES insurer,
  subject     text NOT NULL CHECK (subject IN ('DRIVER_AGE', 'VIOLATIONS', 'ANNUAL_MILES', 'VEHICLE_VALUE', 'VEHICLE_AGE', 'DEDUCTIBLE', 'LIMIT',
                                               'PRIOR_LAPSE')),
  coverage    text,                                           -- null: every coverage
  from_value  bigint NOT NULL,                                -- half-open band [from, to)
  to_value    bigint NOT NULL,
  factor      numeric(8,5) NOT NULL CHECK (factor > 0),
  -- States whose law bars this factor; it is not used there. Sex and credit are no subjects at all.
  barred_states text[] NOT NULL DEFAULT '{}',
  effective   daterange NOT NULL,
  source      text NOT NULL,
  CONSTRAINT insurance_factor_overlap EXCLUDE USING gist
    (insurer_id WITH =, subject WITH =, coalesce(coverage, '') WITH =, int8range(from_value, to_value) WITH &&, effective WITH &&)
);
CREATE TABLE insurance_minimum (
  id            uuid PRIMARY KEY,
  state         text NOT NULL,
  bodily_injury_person_cents   bigint NOT NULL,
  bodily_injury_accident_cents bigint NOT NULL,
  property_damage_cents        bigint NOT NULL,
  personal_injury_cents        bigint NOT NULL DEFAULT 0,     -- medical, no-fault (PIP)
  uninsured_required           boolean NOT NULL DEFAULT false,
  effective     daterange NOT NULL,
  source        text NOT NULL,
  source_read_on date NOT NULL,
  verified      boolean NOT NULL,
  CONSTRAINT insurance_minimum_overlap EXCLUDE USING gist (state WITH =, effective WITH &&)
);

-- Protection products a customer can add to a deal.
CREATE TABLE product (
  id            uuid PRIMARY KEY,
  group_id      uuid NOT NULL REFERENCES dealer_group,
  code          text NOT NULL,
  kind          text NOT NULL CHECK (kind IN ('SERVICE_CONTRACT', 'GAP', 'MAINTENANCE', 'TIRE_AND_WHEEL', 'APPEARANCE', 'THEFT', 'KEY', 'LEASE_WEAR')),
  name          text NOT NULL,
  provider      text NOT NULL,
  term_months   integer,
  term_miles    integer,
  price_cents   bigint NOT NULL CHECK (price_cents >= 0),
  cost_cents    bigint NOT NULL CHECK (cost_cents >= 0),
  effective     daterange NOT NULL,
  CONSTRAINT product_overlap EXCLUDE USING gist (group_id WITH =, code WITH =, effective WITH &&)
);

-- Every server keeps the rules above in memory as one snapshot; this announces that it is stale.
CREATE FUNCTION announce_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('deskless_rules', TG_TABLE_NAME);
  RETURN NULL;
END $$;
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['store', 'tax_jurisdiction', 'tax_jurisdiction_postal', 'tax_rule', 'fee_rule', 'lender', 'lender_program', 'insurer', 'insurance_rate',
                           'insurance_factor', 'insurance_minimum', 'product'] LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION announce_rules()', t || '_announce', t);
  END LOOP;
END $$;
