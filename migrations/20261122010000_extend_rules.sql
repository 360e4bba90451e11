-- What the rows could not say yet: product taxability in full, fees capped by a share of the price, estimates; products with a
-- rate key, eligibility, caps and cancellation; the law on products; insurance by driver and place, pay plans, what lenders
-- demand, and factors a state bars.

ALTER TABLE tax_rule
  ADD COLUMN maintenance_taxable boolean NOT NULL DEFAULT true,
  -- How much of a service contract's price is taxed, where it is taxed at all (VA: half).
  ADD COLUMN service_contract_taxed_percent numeric(9,6) NOT NULL DEFAULT 100 CHECK (service_contract_taxed_percent BETWEEN 0 AND 100);

ALTER TABLE fee_rule
  -- The law's ceiling as a share of the price (MI 5 %, OH 10 %); with cap_cents the lesser holds.
  ADD COLUMN cap_percent numeric(9,6) CHECK (cap_percent BETWEEN 0 AND 100),
  -- The authority's own figure depends on the car (weight, value); this is an average and the line says so.
  ADD COLUMN estimate boolean NOT NULL DEFAULT false;

ALTER TABLE product
  ADD COLUMN deductible_cents bigint CHECK (deductible_cents >= 0),
  -- Which vehicles and deals may have it. Empty: every one.
  ADD COLUMN conditions text[] NOT NULL DEFAULT '{}',
  ADD COLUMN deal_kinds text[] NOT NULL DEFAULT '{}',
  ADD COLUMN states text[] NOT NULL DEFAULT '{}',
  ADD COLUMN max_age_years integer CHECK (max_age_years >= 0),
  ADD COLUMN max_odometer_miles integer CHECK (max_odometer_miles >= 0),
  -- GAP: most the amount financed may be of the vehicle's list price.
  ADD COLUMN max_ltv_percent numeric(9,6),
  -- In how many of the menu's four columns it stands: 4 in all, 1 only in the fullest.
  ADD COLUMN menu_columns integer NOT NULL DEFAULT 2 CHECK (menu_columns BETWEEN 1 AND 4),
  ADD COLUMN cancel_method text NOT NULL DEFAULT 'PRO_RATA' CHECK (cancel_method IN ('PRO_RATA', 'RULE_OF_78', 'NONE')),
  ADD COLUMN free_look_days integer NOT NULL DEFAULT 30 CHECK (free_look_days BETWEEN 0 AND 365),
  ADD COLUMN cancel_fee_cents bigint NOT NULL DEFAULT 0 CHECK (cancel_fee_cents >= 0);

-- The rate key: what a product sells for and costs on one class of vehicles. Without a row for the vehicle the product's own
-- price holds.
CREATE TABLE product_rate (
  id            uuid PRIMARY KEY,
  group_id      uuid NOT NULL REFERENCES dealer_group,
  product_code  text NOT NULL,
  vehicle_class text NOT NULL,                                -- A, B, C …: see product_vehicle_class
  condition     text CHECK (condition IN ('NEW', 'USED', 'CERTIFIED')),   -- null: each
  age_from      integer NOT NULL DEFAULT 0,                   -- model years, half-open [from, to)
  age_to        integer NOT NULL DEFAULT 1000,
  miles_from    integer NOT NULL DEFAULT 0,
  miles_to      integer NOT NULL DEFAULT 10000000,
  price_cents   bigint NOT NULL CHECK (price_cents >= 0),
  cost_cents    bigint NOT NULL CHECK (cost_cents >= 0),
  effective     daterange NOT NULL,
  CONSTRAINT product_rate_overlap EXCLUDE USING gist
    (group_id WITH =, product_code WITH =, vehicle_class WITH =, coalesce(condition, '') WITH =, int4range(age_from, age_to) WITH &&,
     int4range(miles_from, miles_to) WITH &&, effective WITH &&)
);
-- The class of a vehicle by make and, where it matters, fuel. The row with a fuel wins; without a row the class is A.
CREATE TABLE product_vehicle_class (
  id            uuid PRIMARY KEY,
  group_id      uuid NOT NULL REFERENCES dealer_group,
  make          text NOT NULL,                                -- '*': every make
  fuel          text,
  class         text NOT NULL,
  CONSTRAINT product_vehicle_class_key UNIQUE NULLS NOT DISTINCT (group_id, make, fuel)
);
-- What a state's law says about a kind of product.
CREATE TABLE product_law (
  id                  uuid PRIMARY KEY,
  state               text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
  kind                text NOT NULL CHECK (kind IN ('SERVICE_CONTRACT', 'GAP', 'MAINTENANCE', 'TIRE_AND_WHEEL', 'APPEARANCE', 'THEFT', 'KEY', 'LEASE_WEAR')),
  effective           daterange NOT NULL,
  price_cap_percent   numeric(9,6),                           -- of the amount financed
  min_ltv_percent     numeric(9,6),                           -- not to be sold below this loan to value
  free_look_days      integer,                                -- at least so many
  cancel_fee_cap_cents bigint,
  rule_of_78_allowed  boolean NOT NULL DEFAULT false,
  source              text NOT NULL,
  source_read_on      date NOT NULL,
  verified            boolean NOT NULL,
  note                text,
  CONSTRAINT product_law_overlap EXCLUDE USING gist (state WITH =, kind WITH =, effective WITH &&)
);

ALTER TABLE insurance_factor DROP CONSTRAINT insurance_factor_subject_check;
ALTER TABLE insurance_factor ADD CONSTRAINT insurance_factor_subject_check CHECK (subject IN
  ('DRIVER_AGE', 'YEARS_LICENSED', 'VIOLATIONS', 'GENDER', 'CREDIT_BAND', 'TERRITORY', 'ANNUAL_MILES', 'VEHICLE_VALUE', 'VEHICLE_AGE',
   'DEDUCTIBLE', 'LIMIT', 'PRIOR_LAPSE', 'TERM'));
-- Factors no insurer may use in a state, whatever its own sheet says.
CREATE TABLE insurance_barred (
  id             uuid PRIMARY KEY,
  state          text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
  subject        text NOT NULL,
  effective      daterange NOT NULL,
  source         text NOT NULL,
  source_read_on date NOT NULL,
  verified       boolean NOT NULL,
  CONSTRAINT insurance_barred_overlap EXCLUDE USING gist (state WITH =, subject WITH =, effective WITH &&)
);
CREATE TABLE insurance_pay_plan (
  id             uuid PRIMARY KEY,
  insurer_id     uuid NOT NULL REFERENCES insurer,
  code           text NOT NULL,
  name           text NOT NULL,
  payments       integer NOT NULL CHECK (payments BETWEEN 1 AND 12),
  -- The first payment as a share of the premium; the rest is spread evenly.
  first_percent  numeric(9,6) NOT NULL CHECK (first_percent BETWEEN 0 AND 100),
  fee_cents      bigint NOT NULL DEFAULT 0 CHECK (fee_cents >= 0),       -- with each payment after the first
  discount_percent numeric(9,6) NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 50),
  effective      daterange NOT NULL,
  CONSTRAINT insurance_pay_plan_overlap EXCLUDE USING gist (insurer_id WITH =, code WITH =, effective WITH &&)
);
-- What a lender or lessor asks of the policy. A row without a lender holds for every lender that has none of its own.
CREATE TABLE insurance_demand (
  id             uuid PRIMARY KEY,
  group_id       uuid NOT NULL REFERENCES dealer_group,
  lender_code    text,
  interest       text NOT NULL CHECK (interest IN ('LOAN', 'LEASE')),
  max_deductible_cents         bigint NOT NULL,
  bodily_injury_person_cents   bigint NOT NULL DEFAULT 0,
  bodily_injury_accident_cents bigint NOT NULL DEFAULT 0,
  property_damage_cents        bigint NOT NULL DEFAULT 0,
  loss_payee                   boolean NOT NULL DEFAULT true,
  additional_insured           boolean NOT NULL DEFAULT false,
  effective      daterange NOT NULL,
  source         text NOT NULL,
  source_read_on date NOT NULL,
  verified       boolean NOT NULL,
  CONSTRAINT insurance_demand_overlap EXCLUDE USING gist (group_id WITH =, coalesce(lender_code, '') WITH =, interest WITH =, effective WITH &&)
);

-- What the customer said when asked: for suggestions of products, and for the insurers. Figures and choices only, no names.
CREATE TABLE deal_answer (
  deal_id     uuid PRIMARY KEY REFERENCES deal ON DELETE CASCADE,
  needs       jsonb,
  insurance   jsonb,
  updated_at  timestamptz NOT NULL
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['product_rate', 'product_vehicle_class', 'product_law', 'insurance_barred', 'insurance_pay_plan', 'insurance_demand'] LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION announce_rules()', t || '_announce', t);
  END LOOP;
END $$;

-- Which quotes used a rule row (Regulation Z 1026.22(a)(1): whom to tell when a rule was wrong).
CREATE INDEX finance_quote_rules_idx ON finance_quote USING gin (jsonb_path_query_array(result, '$.rules[*].id') jsonb_path_ops);
CREATE INDEX insurance_quote_rules_idx ON insurance_quote USING gin ((result -> 'rule_ids') jsonb_path_ops);
