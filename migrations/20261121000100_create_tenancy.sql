-- Dealer group → stores → users, and what a session needs.
-- Text columns that hold an enum are checked here; the Rust enum of the same name parses them.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE dealer_group (
  id          uuid PRIMARY KEY,
  code        text NOT NULL CONSTRAINT dealer_group_code_key UNIQUE,
  name        text NOT NULL,
  created_at  timestamptz NOT NULL
);

CREATE TABLE store (
  id                     uuid PRIMARY KEY,
  group_id               uuid NOT NULL REFERENCES dealer_group,
  code                   text NOT NULL CONSTRAINT store_code_key UNIQUE,
  name                   text NOT NULL,
  street                 text NOT NULL,
  city                   text NOT NULL,
  state                  text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
  postal_code            text NOT NULL,
  phone                  text,
  time_zone              text NOT NULL,
  currency               text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
  tax_jurisdiction       text NOT NULL,
  -- A feed that would drop a larger share of the lot is held for a manager.
  feed_drop_limit_percent numeric(5,2) NOT NULL DEFAULT 20,
  -- A price fall of a larger share is held back for review, the other fields land.
  price_drop_limit_percent numeric(5,2) NOT NULL DEFAULT 40,
  created_at             timestamptz NOT NULL
);
CREATE INDEX store_group_idx ON store (group_id);

-- A person, or a machine (channel, partner, feed) that signs in with a key.
CREATE TABLE app_user (
  id             uuid PRIMARY KEY,
  group_id       uuid NOT NULL REFERENCES dealer_group,
  kind           text NOT NULL CHECK (kind IN ('PERSON', 'MACHINE')),
  login          text NOT NULL CONSTRAINT app_user_login_key UNIQUE CHECK (login = lower(login)),
  display_name   text NOT NULL,
  password_hash  text,
  -- SHA-256 of a machine's key; the key itself is shown once.
  key_hash       bytea CONSTRAINT app_user_key_hash_key UNIQUE,
  disabled_at    timestamptz,
  created_at     timestamptz NOT NULL,
  CHECK ((kind = 'PERSON') = (password_hash IS NOT NULL)),
  CHECK ((kind = 'MACHINE') = (key_hash IS NOT NULL))
);

CREATE TABLE user_role (
  user_id   uuid NOT NULL REFERENCES app_user ON DELETE CASCADE,
  store_id  uuid NOT NULL REFERENCES store,
  role      text NOT NULL CHECK (role IN ('SALESPERSON', 'SALES_MANAGER', 'GROUP_ADMIN', 'CHANNEL', 'PARTNER')),
  PRIMARY KEY (user_id, store_id)
);

CREATE TABLE session (
  id           uuid PRIMARY KEY,
  user_id      uuid NOT NULL REFERENCES app_user,
  device_label text,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  ended_at     timestamptz,
  end_reason   text CHECK (end_reason IN ('SIGNED_OUT', 'REFRESH_REUSED', 'USER_DISABLED', 'EXPIRED'))
);
CREATE INDEX session_user_idx ON session (user_id) WHERE ended_at IS NULL;

-- One row per refresh token ever given out in a session. A rotated token that comes back after its successor was used
-- ends the session; before that the successor is reissued (its answer was lost on the way).
CREATE TABLE refresh_token (
  token_hash   bytea PRIMARY KEY,
  session_id   uuid NOT NULL REFERENCES session ON DELETE CASCADE,
  parent_hash  bytea,
  issued_at    timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  -- When it was exchanged for its successor.
  used_at      timestamptz,
  -- When its answer was taken for lost and another successor of its parent was given out.
  superseded_at timestamptz
);
CREATE INDEX refresh_token_session_idx ON refresh_token (session_id);
CREATE INDEX refresh_token_parent_idx ON refresh_token (parent_hash);

CREATE TABLE sign_in_attempt (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  login    text NOT NULL,
  address  text NOT NULL,
  at       timestamptz NOT NULL,
  success  boolean NOT NULL
);
CREATE INDEX sign_in_attempt_login_idx ON sign_in_attempt (login, at);
CREATE INDEX sign_in_attempt_address_idx ON sign_in_attempt (address, at);

-- Ed25519 keys that sign access tokens. The private half is sealed with the data key.
CREATE TABLE signing_key (
  kid             text PRIMARY KEY,
  public_key      bytea NOT NULL,
  private_sealed  bytea NOT NULL,
  created_at      timestamptz NOT NULL,
  retired_at      timestamptz
);

-- The stored first answer of a mutation, written in the transaction that did the work. Keys belong to their user.
CREATE TABLE idempotency_record (
  user_id       uuid NOT NULL,
  key           text NOT NULL,
  operation     text NOT NULL,
  request_hash  bytea NOT NULL,
  answer        jsonb NOT NULL,
  created_at    timestamptz NOT NULL,
  CONSTRAINT idempotency_record_pkey PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_record_age_idx ON idempotency_record USING brin (created_at);

CREATE TABLE audit_event (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at            timestamptz NOT NULL,
  store_id      uuid,
  user_id       uuid,
  subject_kind  text NOT NULL,
  subject_id    uuid NOT NULL,
  verb          text NOT NULL,
  -- Figures and ids only, never personal data.
  detail        jsonb NOT NULL DEFAULT '{}',
  request_id    text
);
CREATE INDEX audit_event_subject_idx ON audit_event (subject_id, id);

-- One row per change that a screen may show. A trigger announces it to every server; the row lets a server that lost its
-- listening connection catch up.
CREATE TABLE change_notice (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at            timestamptz NOT NULL,
  store_id      uuid NOT NULL,
  subject_kind  text NOT NULL,
  subject_id    uuid NOT NULL,
  version       integer NOT NULL DEFAULT 0
);
CREATE INDEX change_notice_age_idx ON change_notice USING brin (at);

CREATE FUNCTION announce_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('deskless_change',
    NEW.id || ' ' || NEW.store_id || ' ' || NEW.subject_kind || ' ' || NEW.subject_id || ' ' || NEW.version);
  RETURN NULL;
END $$;
CREATE TRIGGER change_notice_announce AFTER INSERT ON change_notice FOR EACH ROW EXECUTE FUNCTION announce_change();
