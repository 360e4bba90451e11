-- How long a store holds a car, how often a salesperson may extend, and the most a manager may. A car that frees is offered to
-- the next in line for a short while.
ALTER TABLE store
  ADD COLUMN hold_minutes       integer NOT NULL DEFAULT 120 CHECK (hold_minutes BETWEEN 5 AND 1440),
  ADD COLUMN hold_extensions    integer NOT NULL DEFAULT 1 CHECK (hold_extensions BETWEEN 0 AND 20),
  ADD COLUMN hold_max_hours     integer NOT NULL DEFAULT 72 CHECK (hold_max_hours BETWEEN 1 AND 720),
  ADD COLUMN hold_offer_minutes integer NOT NULL DEFAULT 15 CHECK (hold_offer_minutes BETWEEN 1 AND 1440);

-- OFFER: the car was freed, and the first in line has it until they take it or the time is over.
ALTER TABLE vehicle_hold DROP CONSTRAINT vehicle_hold_reason_check;
ALTER TABLE vehicle_hold
  ADD CONSTRAINT vehicle_hold_reason_check CHECK (reason IN ('DEAL', 'CONTRACT', 'OFFER')),
  -- Why, in the salesperson's words.
  ADD COLUMN note       text,
  ADD COLUMN extensions integer NOT NULL DEFAULT 0;
CREATE INDEX vehicle_hold_due_idx ON vehicle_hold (expires_at) WHERE released_at IS NULL AND expires_at IS NOT NULL;

-- Who waits for a car that somebody holds, the first to join first.
CREATE TABLE vehicle_hold_queue (
  id          uuid PRIMARY KEY,
  group_id    uuid NOT NULL REFERENCES dealer_group,
  vehicle_id  uuid NOT NULL REFERENCES vehicle,
  vin         text NOT NULL,
  deal_id     uuid NOT NULL REFERENCES deal,
  joined_by   uuid NOT NULL,
  joined_at   timestamptz NOT NULL,
  left_at     timestamptz,
  -- OFFERED, or why the deal no longer waits: LEFT, SWAPPED, LOST …
  left_reason text
);
CREATE UNIQUE INDEX vehicle_hold_queue_key ON vehicle_hold_queue (deal_id) WHERE left_at IS NULL;
CREATE INDEX vehicle_hold_queue_vin_idx ON vehicle_hold_queue (group_id, vin, joined_at, id) WHERE left_at IS NULL;
