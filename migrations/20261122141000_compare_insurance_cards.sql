-- What the customer's insurance card says of what a lender or lessor may ask for, as the salesperson saw it at the hand-over.
ALTER TABLE deal_delivery
  ADD COLUMN comprehensive_deductible_cents bigint CHECK (comprehensive_deductible_cents >= 0),
  ADD COLUMN collision_deductible_cents     bigint CHECK (collision_deductible_cents >= 0),
  ADD COLUMN bodily_injury_person_cents     bigint CHECK (bodily_injury_person_cents >= 0),
  ADD COLUMN bodily_injury_accident_cents   bigint CHECK (bodily_injury_accident_cents >= 0),
  ADD COLUMN property_damage_cents          bigint CHECK (property_damage_cents >= 0),
  ADD COLUMN loss_payee_id                  uuid REFERENCES lender,
  ADD COLUMN additional_insured_id          uuid REFERENCES lender,
  ADD CONSTRAINT deal_delivery_card CHECK (insurer IS NOT NULL OR num_nonnulls(comprehensive_deductible_cents, collision_deductible_cents,
    bodily_injury_person_cents, bodily_injury_accident_cents, property_damage_cents, loss_payee_id, additional_insured_id) = 0);
