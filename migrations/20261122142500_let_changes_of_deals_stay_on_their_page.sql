-- A change of a deal touched an index for its time alone, and moved the row to another page. Lists now go by the hour of the
-- last change, which most changes leave as it is, and sort within the hour.
ALTER TABLE deal ADD COLUMN updated_hour timestamp NOT NULL GENERATED ALWAYS AS (date_trunc('hour', updated_at AT TIME ZONE 'UTC')) STORED;
DROP INDEX deal_store_idx;
CREATE INDEX deal_store_idx ON deal (store_id, updated_hour DESC);

-- Written and read as a whole: kept as text, not taken apart at every write.
ALTER TABLE deal ALTER COLUMN figure_lines DROP DEFAULT;
ALTER TABLE deal ALTER COLUMN figure_lines TYPE json;
ALTER TABLE deal ALTER COLUMN figure_lines SET DEFAULT '[]';
ALTER TABLE idempotency_record ALTER COLUMN answer TYPE json;
