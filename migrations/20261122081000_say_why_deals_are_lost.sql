-- Why a customer did not buy, as a code that can be counted. Null for those that were lost before there were codes, or in words only.
ALTER TABLE deal ADD COLUMN lost_reason_code text CHECK (lost_reason_code IN
  ('PRICE', 'PAYMENT', 'TRADE_IN', 'CREDIT', 'VEHICLE', 'VEHICLE_TAKEN', 'BOUGHT_ELSEWHERE', 'TOOK_TOO_LONG', 'UNDECIDED', 'OTHER'));
