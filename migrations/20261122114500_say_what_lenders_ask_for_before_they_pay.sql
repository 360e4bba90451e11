-- Stipulations: the papers a lender wants of the customer before it pays for a contract of a program.
ALTER TABLE lender_program
  ADD COLUMN stipulations text[] NOT NULL DEFAULT '{}' CHECK (stipulations <@ ARRAY[
    'PROOF_OF_IDENTITY', 'PROOF_OF_INCOME', 'PROOF_OF_EMPLOYMENT', 'PROOF_OF_RESIDENCE', 'PROOF_OF_INSURANCE', 'REFERENCES']);
