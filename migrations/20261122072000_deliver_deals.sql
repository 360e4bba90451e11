-- The last days that follow a sale: until when a seller may call off a delivery no lender has paid, and until when a buyer may
-- bring a car back. Dated rows of the selling store's state.
CREATE TABLE delivery_law (
  id              uuid PRIMARY KEY,
  state           text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
  -- SPOT_CANCEL: the seller's right. RETURN: the buyer's.
  kind            text NOT NULL CHECK (kind IN ('SPOT_CANCEL', 'RETURN')),
  effective       daterange NOT NULL,
  days            integer NOT NULL CHECK (days BETWEEN 1 AND 60),
  counts_from     text NOT NULL CHECK (counts_from IN ('CONTRACT', 'DELIVERY')),
  -- Empty: every car.
  conditions      text[] NOT NULL DEFAULT '{}',
  max_price_cents bigint CHECK (max_price_cents > 0),
  max_miles       integer CHECK (max_miles > 0),
  source          text NOT NULL,
  source_read_on  date NOT NULL,
  verified        boolean NOT NULL,
  note            text,
  CONSTRAINT delivery_law_overlap EXCLUDE USING gist (state WITH =, kind WITH =, effective WITH &&)
);
CREATE TRIGGER delivery_law_announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON delivery_law
  FOR EACH STATEMENT EXECUTE FUNCTION announce_rules();

-- Days from the signature in which the store's own contract lets it call off a delivery no lender has paid. Null: the law alone.
ALTER TABLE store ADD COLUMN spot_delivery_days integer CHECK (spot_delivery_days BETWEEN 1 AND 60);

-- The hand-over of a car, with the last days as they were told to the customer then.
CREATE TABLE deal_delivery (
  deal_id          uuid PRIMARY KEY REFERENCES deal,
  store_id         uuid NOT NULL REFERENCES store,
  delivered_at     timestamptz NOT NULL,
  odometer_miles   integer NOT NULL CHECK (odometer_miles BETWEEN 0 AND 2000000),
  -- Where the vehicle stood before the sale: what it goes back to.
  status_before    text NOT NULL,
  -- Handed over before any lender has paid.
  spot_reason      text,
  spot_deadline    date,
  spot_source      text,
  spot_verified    boolean,
  return_until     date,
  return_max_miles integer,
  return_source    text,
  return_verified  boolean,
  CHECK (num_nulls(spot_reason, spot_deadline, spot_source, spot_verified) IN (0, 4)),
  CHECK (num_nulls(return_until, return_source, return_verified) IN (0, 3))
);
