-- Where a vehicle bears another tax than the things sold with it (NC: highway use tax on the car, general sales tax on a
-- service contract), products have a rate of their own, which is checked by itself.
ALTER TABLE tax_rule
  ADD COLUMN product_rate numeric(7,4) CHECK (product_rate BETWEEN 0 AND 100),
  ADD COLUMN product_verified boolean NOT NULL DEFAULT true;
