-- A document may hold several prospects: each is a lead, the raw bytes are kept once, with the first.
ALTER TABLE lead ADD COLUMN document_id uuid REFERENCES lead;
ALTER TABLE lead ALTER COLUMN raw_sealed DROP NOT NULL;
ALTER TABLE lead ADD CONSTRAINT lead_raw_check CHECK (raw_sealed IS NOT NULL OR document_id IS NOT NULL);

-- What a person decided about a lead that waited for one.
ALTER TABLE lead ADD COLUMN resolution text CHECK (resolution IN ('ATTACHED', 'DISMISSED'));
ALTER TABLE lead ADD COLUMN resolution_note text;
ALTER TABLE lead ADD CONSTRAINT lead_resolved_check CHECK ((resolution IS NULL) = (resolved_at IS NULL));

-- Among leads that say the same, one is the first; the index decides which when many arrive at once.
ALTER TABLE lead ADD COLUMN repeats_content boolean NOT NULL DEFAULT false;
DROP INDEX lead_content_idx;
CREATE UNIQUE INDEX lead_content_key ON lead (store_id, content_sha256) WHERE NOT repeats_content;
CREATE INDEX lead_waiting_idx ON lead (store_id, received_at DESC, id DESC) WHERE status = 'NEEDS_PERSON' AND resolved_at IS NULL;
CREATE INDEX lead_duplicate_idx ON lead (duplicate_of) WHERE duplicate_of IS NOT NULL;
