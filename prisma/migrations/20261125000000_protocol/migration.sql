-- "Not found" answers since the last send, and the last send that nothing answered.
ALTER TABLE attempt ADD COLUMN not_found_count integer NOT NULL DEFAULT 0 CHECK (not_found_count >= 0),
  ADD COLUMN unanswered_at timestamptz;
-- The last sends, of which too many without an answer stop the sending.
CREATE INDEX attempt_by_sent_at ON attempt (sent_at DESC) WHERE sent_at IS NOT NULL;

-- As long as the gateway's client reads them.
ALTER TABLE observation DROP CONSTRAINT observation_imp_uid_check, ADD CHECK (length(imp_uid) BETWEEN 1 AND 64);
-- Every capture is accounted for: it settles its invoice, is given back, or waits for a person. Until then somebody looks.
ALTER TABLE observation ADD COLUMN account_at timestamptz,
  ADD COLUMN accounted_as text CHECK (accounted_as IN ('settles', 'refund', 'review', 'returned'));
CREATE INDEX observation_unaccounted ON observation (account_at) WHERE account_at IS NOT NULL;
-- A payment known to be paid, to hold a "not found" against.
CREATE INDEX observation_paid ON observation (last_seen_at DESC) WHERE status = 'paid';
UPDATE observation SET account_at = maedal_now() WHERE status IN ('paid', 'cancelled');

-- When a missed period of a customer was last charged: the next one a day later, whoever charges it.
ALTER TABLE customer ADD COLUMN caught_up_at timestamptz;
CREATE INDEX subscription_in_arrears ON subscription (id) WHERE status IN ('past_due', 'unpaid');

-- Late watch: an invoice that ended unpaid is looked at once more when nothing of it may land any more.
ALTER TABLE invoice ADD COLUMN watch_at timestamptz;
CREATE INDEX invoice_watched ON invoice (watch_at) WHERE watch_at IS NOT NULL;

CREATE INDEX refund_due ON refund (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX refund_of_invoice ON refund (invoice_id);

ALTER TABLE control ADD COLUMN sending_changed_by text,
  -- When the last audit passed, and on which start of the server: a restored database has another.
  ADD COLUMN audited_at timestamptz, ADD COLUMN audited_start timestamptz,
  -- The latest instant that a scheduler saw: the clock must not step back behind it.
  ADD COLUMN latest_at timestamptz;
