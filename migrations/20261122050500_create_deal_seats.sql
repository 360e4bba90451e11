-- Who has a deal open on which device. A row stands until its time is over; the holder's device keeps renewing it.
CREATE TABLE deal_seat (
  deal_id      uuid PRIMARY KEY REFERENCES deal ON DELETE CASCADE,
  store_id     uuid NOT NULL REFERENCES store,
  user_id      uuid NOT NULL REFERENCES app_user,
  user_name    text NOT NULL,
  -- The sign-in session is the device.
  session_id   uuid NOT NULL REFERENCES session ON DELETE CASCADE,
  device_label text,
  since        timestamptz NOT NULL,
  renewed_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  -- What the device has not saved yet, in its own words.
  unsaved      text,
  -- A colleague who would like to go on with the deal.
  asked_user_id    uuid REFERENCES app_user,
  asked_user_name  text,
  asked_session_id uuid REFERENCES session ON DELETE SET NULL,
  asked_device_label text,
  asked_at     timestamptz,
  asked_note   text,
  -- From when the colleague may take the deal over; null while it is only a wish.
  take_over_from timestamptz,
  answer       text CHECK (answer IN ('KEEP')),
  answer_note  text
) WITH (fillfactor = 60);
CREATE INDEX deal_seat_expiry_idx ON deal_seat (expires_at);
