-- Ends with its period although nothing is drawn up for it.
CREATE INDEX subscription_ending ON subscription (next_due_at, id) WHERE cancel_at_period_end AND status IN ('unpaid', 'paused');
