-- The most a state lets a dealer add to a lender's rate.
CREATE TABLE rate_markup_law (
  id             uuid PRIMARY KEY,
  state          text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
  above_months   integer NOT NULL CHECK (above_months BETWEEN 0 AND 119),   -- for longer terms than this
  points         numeric(9,6) NOT NULL CHECK (points >= 0),                 -- percent points
  effective      daterange NOT NULL,
  source         text NOT NULL,
  source_read_on date NOT NULL,
  verified       boolean NOT NULL,
  CONSTRAINT rate_markup_law_overlap EXCLUDE USING gist (state WITH =, above_months WITH =, effective WITH &&)
);
-- What a guide book says a vehicle is worth, from a group's own subscription.
CREATE TABLE guide_value (
  id              uuid PRIMARY KEY,
  group_id        uuid NOT NULL REFERENCES dealer_group,
  vin             text NOT NULL CHECK (vin ~ '^[A-HJ-NPR-Z0-9]{17}$'),
  wholesale_cents bigint CHECK (wholesale_cents >= 0),
  retail_cents    bigint CHECK (retail_cents >= 0),
  effective       daterange NOT NULL,
  source          text NOT NULL,
  source_read_on  date NOT NULL,
  verified        boolean NOT NULL,
  CONSTRAINT guide_value_some CHECK (num_nonnulls(wholesale_cents, retail_cents) > 0),
  CONSTRAINT guide_value_overlap EXCLUDE USING gist (group_id WITH =, vin WITH =, effective WITH &&)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['rate_markup_law', 'guide_value'] LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION announce_rules()', t || '_announce', t);
  END LOOP;
END $$;
