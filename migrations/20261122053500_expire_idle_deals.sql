-- Days without a change after which an open deal is given up.
ALTER TABLE store ADD COLUMN deal_idle_days integer NOT NULL DEFAULT 30 CHECK (deal_idle_days BETWEEN 1 AND 365);
