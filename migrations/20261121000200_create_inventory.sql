CREATE TABLE feed_import (
  id             uuid PRIMARY KEY,
  store_id       uuid NOT NULL REFERENCES store,
  source_name    text NOT NULL,
  content_sha256 bytea,
  layout         text,
  -- RUNNING is seen by nobody: the whole import is one transaction.
  status         text NOT NULL CHECK (status IN ('RUNNING', 'LANDED', 'UNCHANGED', 'HELD', 'DISCARDED', 'FAILED')),
  -- Why a manager has to look, or why the file could not be read.
  held_reason    text,
  started_at     timestamptz NOT NULL,
  finished_at    timestamptz,
  started_by     uuid,
  decided_by     uuid,
  rows_read      integer NOT NULL DEFAULT 0,
  created        integer NOT NULL DEFAULT 0,
  updated        integer NOT NULL DEFAULT 0,
  unchanged      integer NOT NULL DEFAULT 0,
  refused        integer NOT NULL DEFAULT 0,
  missing        integer NOT NULL DEFAULT 0,
  warnings       integer NOT NULL DEFAULT 0
);
CREATE INDEX feed_import_store_idx ON feed_import (store_id, started_at DESC);

CREATE TABLE feed_refusal (
  import_id   uuid NOT NULL REFERENCES feed_import ON DELETE CASCADE,
  line        integer NOT NULL,
  column_name text NOT NULL,
  -- At most 200 characters of what the file said.
  value       text NOT NULL,
  -- REFUSED: the row did not land. WARNING: it did, but somebody should look.
  severity    text NOT NULL CHECK (severity IN ('REFUSED', 'WARNING')),
  code        text NOT NULL,
  reason      text NOT NULL,
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
CREATE INDEX feed_refusal_import_idx ON feed_refusal (import_id, id);

CREATE TABLE vehicle (
  id              uuid PRIMARY KEY,
  store_id        uuid NOT NULL REFERENCES store,
  vin             text NOT NULL,
  -- VALID: check digit right. UNCHECKED: pre-1981 or a maker outside the rule. A wrong check digit is refused at the door.
  vin_status      text NOT NULL CHECK (vin_status IN ('VALID', 'UNCHECKED')),
  stock_number    text NOT NULL,
  condition       text NOT NULL CHECK (condition IN ('NEW', 'USED', 'CERTIFIED')),
  status          text NOT NULL CHECK (status IN
                  ('ORDERED', 'IN_TRANSIT', 'IN_RECON', 'AVAILABLE', 'ON_HOLD', 'PENDING_SALE', 'SOLD', 'DELIVERED', 'WHOLESALE')),
  model_year      integer NOT NULL CHECK (model_year BETWEEN 1886 AND 2100),
  make            text NOT NULL,
  model           text NOT NULL,
  trim            text,
  body_style      text CHECK (body_style IN ('SEDAN', 'COUPE', 'CONVERTIBLE', 'HATCHBACK', 'WAGON', 'SUV', 'PICKUP', 'VAN', 'MOTORCYCLE', 'OTHER')),
  drivetrain      text CHECK (drivetrain IN ('FWD', 'RWD', 'AWD', 'FOUR_WD')),
  fuel            text CHECK (fuel IN ('GASOLINE', 'DIESEL', 'HYBRID', 'PLUG_IN_HYBRID', 'ELECTRIC', 'FLEX_FUEL', 'HYDROGEN', 'NATURAL_GAS', 'OTHER')),
  transmission    text CHECK (transmission IN ('AUTOMATIC', 'MANUAL', 'CVT', 'OTHER')),
  engine          text,
  cylinders       integer,
  doors           integer,
  seats           integer,
  exterior_color  text,
  -- The colour a customer would say: BLACK, WHITE, SILVER …
  exterior_color_family text CHECK (exterior_color_family IN ('BLACK', 'WHITE', 'SILVER', 'GRAY', 'RED', 'BLUE', 'GREEN', 'BROWN',
                  'BEIGE', 'GOLD', 'YELLOW', 'ORANGE', 'PURPLE', 'OTHER')),
  interior_color  text,
  odometer_miles  integer CHECK (odometer_miles BETWEEN 0 AND 2000000),
  price_cents     bigint CHECK (price_cents > 0),
  msrp_cents      bigint CHECK (msrp_cents > 0),
  invoice_cents   bigint CHECK (invoice_cents > 0),
  cost_cents      bigint CHECK (cost_cents >= 0),
  -- A feed's price that fell further than the store allows unseen; it waits for a manager.
  held_price_cents bigint CHECK (held_price_cents > 0),
  currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  mpg_city        integer,
  mpg_highway     integer,
  mpg_combined    integer,
  description     text,
  photo_urls      text[] NOT NULL DEFAULT '{}',
  received_on     date NOT NULL,
  -- Set while the vehicle is absent from its store's newest feed. Never sells it.
  missing_since   timestamptz,
  last_import_id  uuid REFERENCES feed_import,
  -- SHA-256 of the normalised feed row, so that an unchanged row writes nothing.
  row_hash        bytea,
  version         integer NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  search          tsvector GENERATED ALWAYS AS (to_tsvector('simple',
    model_year::text || ' ' || make || ' ' || model || ' ' || coalesce(trim, '') || ' ' || coalesce(exterior_color, '') || ' ' ||
    coalesce(engine, '') || ' ' || stock_number || ' ' || vin || ' ' || left(coalesce(description, ''), 2000))) STORED,
  CONSTRAINT vehicle_store_vin_key UNIQUE (store_id, vin)
);
CREATE INDEX vehicle_available_idx ON vehicle (store_id, make, body_style, price_cents, id) WHERE status = 'AVAILABLE';
-- The lot in the orders people ask for; the expressions are those of inventory::store.
CREATE INDEX vehicle_available_price_idx ON vehicle ((coalesce(price_cents, 9223372036854775807)), id) WHERE status = 'AVAILABLE';
CREATE INDEX vehicle_available_newest_idx ON vehicle (((received_on - date '2000-01-01')::bigint), id) WHERE status = 'AVAILABLE';
CREATE INDEX vehicle_store_received_idx ON vehicle (store_id, received_on, id);
CREATE INDEX vehicle_vin_idx ON vehicle (vin);
CREATE INDEX vehicle_stock_idx ON vehicle (store_id, stock_number);
CREATE INDEX vehicle_search_idx ON vehicle USING gin (search);

-- The rows of an import between COPY and merge. Emptied by the transaction that filled it, unless the import is held; then
-- they wait here for a manager.
CREATE TABLE feed_stage (
  import_id       uuid NOT NULL,
  line            integer NOT NULL,
  -- ROW: may land. REFUSED, WARNING: a report.
  kind            text NOT NULL,
  column_name     text,
  value           text,
  code            text,
  reason          text,
  new_id          uuid,
  vin             text,
  stock_number    text,
  row_hash        bytea,
  vin_status      text,
  condition       text,
  status          text,
  model_year      integer,
  make            text,
  model           text,
  trim            text,
  body_style      text,
  drivetrain      text,
  fuel            text,
  transmission    text,
  engine          text,
  cylinders       integer,
  doors           integer,
  seats           integer,
  exterior_color  text,
  exterior_color_family text,
  interior_color  text,
  odometer_miles  integer,
  price_cents     bigint,
  msrp_cents      bigint,
  invoice_cents   bigint,
  cost_cents      bigint,
  currency        text,
  mpg_city        integer,
  mpg_highway     integer,
  mpg_combined    integer,
  description     text,
  photo_urls      text[],
  received_on     date,
  -- The date was counted back from an age, which differs by the day the file was made.
  received_by_age boolean,
  -- Three texts each: attribute, feed, VIN.
  disagreements   jsonb,
  -- Filled by the merge.
  vehicle_id      uuid,
  action          text,
  price_held      boolean
);
CREATE INDEX feed_stage_vin_idx ON feed_stage (import_id, vin);

CREATE TABLE vehicle_price_change (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  vehicle_id      uuid NOT NULL REFERENCES vehicle ON DELETE CASCADE,
  at              timestamptz NOT NULL,
  kind            text NOT NULL CHECK (kind IN ('PRICE', 'MSRP')),
  old_cents       bigint,
  new_cents       bigint,
  import_id       uuid REFERENCES feed_import
);
CREATE INDEX vehicle_price_change_vehicle_idx ON vehicle_price_change (vehicle_id, id);

-- Where the feed and the VIN say different things. Both are kept and shown.
CREATE TABLE vehicle_disagreement (
  vehicle_id  uuid NOT NULL REFERENCES vehicle ON DELETE CASCADE,
  attribute   text NOT NULL,
  feed_value  text NOT NULL,
  vin_value   text NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (vehicle_id, attribute)
);

-- One active hold per VIN in a dealer group; the constraint decides, not the code.
CREATE TABLE vehicle_hold (
  id           uuid PRIMARY KEY,
  group_id     uuid NOT NULL REFERENCES dealer_group,
  store_id     uuid NOT NULL REFERENCES store,
  vehicle_id   uuid NOT NULL REFERENCES vehicle,
  vin          text NOT NULL,
  deal_id      uuid NOT NULL,
  reason       text NOT NULL CHECK (reason IN ('DEAL', 'CONTRACT')),
  -- The vehicle's status before the hold; it returns to it when the hold ends without a sale.
  status_before text NOT NULL,
  placed_by    uuid NOT NULL,
  placed_at    timestamptz NOT NULL,
  expires_at   timestamptz,
  released_at  timestamptz,
  release_reason text
);
CREATE UNIQUE INDEX vehicle_hold_active_key ON vehicle_hold (group_id, vin) WHERE released_at IS NULL;
CREATE INDEX vehicle_hold_deal_idx ON vehicle_hold (deal_id);
CREATE INDEX vehicle_hold_vehicle_idx ON vehicle_hold (vehicle_id) WHERE released_at IS NULL;
