-- What the metric of refused refunds counts every second.
CREATE INDEX deposit_refund_refused_idx ON deposit (deal_id) WHERE status = 'CAPTURED' AND refused_code IS NOT NULL;
