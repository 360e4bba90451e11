-- The lot is asked for by make without regard to capitals. With the make itself beside it, counting needs the index only.
DROP INDEX vehicle_available_idx;
CREATE INDEX vehicle_available_idx ON vehicle (store_id, lower(make), body_style, price_cents, id) INCLUDE (make) WHERE status = 'AVAILABLE';
