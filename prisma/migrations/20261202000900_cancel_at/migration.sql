-- Where a subscription ends that was cancelled to the end of its period: a period that had begun by then is owed, be it drawn up or not.
UPDATE subscription SET cancel_at = coalesce(next_due_at, canceled_at) WHERE cancel_at_period_end;
ALTER TABLE subscription DROP COLUMN cancel_at_period_end;
CREATE INDEX subscription_ending ON subscription (greatest(next_due_at, cancel_at))
 WHERE status IN ('unpaid', 'paused') AND (cancel_at IS NOT NULL OR next_period >= first_period + ends_after);
