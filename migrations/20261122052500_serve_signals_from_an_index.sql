-- What a store's conversations were like, for managers. The busiest step, a changed structure, is not among them and pays nothing.
CREATE INDEX audit_event_signal_idx ON audit_event (store_id, verb, at)
  WHERE verb IN ('greeted', 'opened', 'presented', 'agreed', 'contracted', 'lost', 'cancelled', 'taken_over', 'approved', 'approval_declined',
                 'counter_offered');
