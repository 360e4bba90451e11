-- What a customer said to the menu: every product that was shown, taken or declined, at which price, by whom and when. No row is changed
-- or removed: a later round stands beside the earlier ones. A round counts while the car, the way to pay, the price and the
-- products are those it was made about (`basis`).
CREATE TABLE menu_decision (
  deal_id    uuid NOT NULL REFERENCES deal (id),
  round      integer NOT NULL CHECK (round > 0),
  decided_by uuid NOT NULL REFERENCES app_user (id),
  decided_at timestamptz NOT NULL,
  basis      jsonb NOT NULL,
  lines      jsonb NOT NULL CHECK (jsonb_typeof(lines) = 'array'),
  PRIMARY KEY (deal_id, round)
);

-- What a round is made about.
CREATE FUNCTION menu_basis(deal uuid, vehicle uuid, kind text, price bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('vehicle', vehicle, 'kind', kind, 'price', price, 'products',
    (SELECT coalesce(jsonb_agg(jsonb_build_array(p.product_id, p.price_cents) ORDER BY p.product_id), '[]') FROM deal_product p WHERE p.deal_id = deal))
$$;

-- Whether a customer must have said yes or no to a product before the deal is signed: the house says so, product by product.
ALTER TABLE product ADD COLUMN must_decide boolean NOT NULL DEFAULT false;
