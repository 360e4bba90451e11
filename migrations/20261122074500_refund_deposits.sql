-- Money that was taken can be given back, with the same care as it was taken.
ALTER TABLE deposit DROP CONSTRAINT deposit_status_check;
ALTER TABLE deposit
  ADD CONSTRAINT deposit_status_check CHECK (status IN
    ('AUTHORIZING', 'AUTHORIZED', 'DECLINED', 'CAPTURING', 'CAPTURED', 'VOIDING', 'VOIDED', 'REFUNDING', 'REFUNDED')),
  -- The sale ended: refund as soon as it is known that the money was taken.
  ADD COLUMN refund_wanted boolean NOT NULL DEFAULT false;
ALTER TABLE payment_request DROP CONSTRAINT payment_request_kind_check;
ALTER TABLE payment_request ADD CONSTRAINT payment_request_kind_check CHECK (kind IN ('AUTHORIZE', 'CAPTURE', 'VOID', 'REFUND'));
-- A refunded deposit does not count any more.
DROP INDEX deposit_open_key;
CREATE UNIQUE INDEX deposit_open_key ON deposit (deal_id) WHERE status NOT IN ('DECLINED', 'VOIDED', 'REFUNDED');
