-- A fixed term ends as well where nothing is drawn up for it.
DROP INDEX subscription_ending;
CREATE INDEX subscription_ending ON subscription (next_due_at, id)
 WHERE status IN ('unpaid', 'paused') AND (cancel_at_period_end OR next_period >= first_period + ends_after);
