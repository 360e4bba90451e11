-- What `deskless demo` has loaded. A step is written when it is complete, so that a start that was interrupted goes on where
-- it ended and a further start loads nothing.
CREATE TABLE demo_step (
  name     text PRIMARY KEY,
  done_at  timestamptz NOT NULL
);
