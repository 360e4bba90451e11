-- The heads of columns that held something and were not read as any fact, so that nobody loses a column unawares.
ALTER TABLE feed_import ADD COLUMN unread_columns text[] NOT NULL DEFAULT '{}';
