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

-- A refund is taken in hand at `next_at`; prepared without one it is a proposal and waits for a person.
ALTER TABLE refund ADD COLUMN not_sent_count integer NOT NULL DEFAULT 0 CHECK (not_sent_count BETWEEN 0 AND send_count),
  ADD CONSTRAINT refund_sent CHECK (send_count = 0 OR sent_at IS NOT NULL),
  ADD CONSTRAINT refund_in_flight CHECK (state NOT IN ('sent', 'unknown') OR (send_count > 0 AND next_at IS NOT NULL)),
  ADD CONSTRAINT refund_ended CHECK (state NOT IN ('done', 'failed') OR next_at IS NULL),
  ADD CONSTRAINT refund_failed CHECK (state <> 'failed' OR fail_reason IS NOT NULL);
CREATE INDEX refund_due ON refund (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX refund_of_invoice ON refund (invoice_id);

-- The life that this database leads: another one after a restart of its server, a failover, a restore or a reload.
-- What an audit found in an earlier one says nothing about this one.
CREATE FUNCTION maedal_incarnation() RETURNS text LANGUAGE sql STABLE
  AS 'SELECT extract(epoch FROM pg_postmaster_start_time())::text || ''/'' || pg_relation_filenode(''attempt''::regclass)::text';

ALTER TABLE control ADD COLUMN sending_changed_by text,
  -- Unknown captures seen until then were looked at by a person.
  ADD COLUMN acknowledged_at timestamptz,
  -- When the last audit that passed began, in which incarnation the last one was made, and how far it came.
  ADD COLUMN audited_at timestamptz, ADD COLUMN audited_in text, ADD COLUMN audited_until timestamptz,
  -- The audit that is under way, or the pause after one that failed; when the last one that ended began.
  ADD COLUMN audit_fence integer NOT NULL DEFAULT 0, ADD COLUMN audit_lease_until timestamptz,
  ADD COLUMN audit_begun_at timestamptz,
  -- The latest instant that a scheduler saw: the clock must not step back behind it.
  ADD COLUMN latest_at timestamptz;

-- The chart of a refund's states. What is asked of the gateway never changes: somebody else's wish is another refund.
CREATE FUNCTION maedal_refund_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('prepared', 'sent'), ('prepared', 'done'), ('prepared', 'failed'),
    ('sent', 'prepared'), ('sent', 'unknown'), ('sent', 'done'), ('sent', 'failed'),
    ('unknown', 'sent'), ('unknown', 'done'), ('unknown', 'failed')
  ) THEN
    RAISE EXCEPTION 'refund % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF (OLD.invoice_id, OLD.imp_uid, OLD.amount, OLD.currency, OLD.checksum)
    IS DISTINCT FROM (NEW.invoice_id, NEW.imp_uid, NEW.amount, NEW.currency, NEW.checksum) THEN
    RAISE EXCEPTION 'refund %: what is asked of the gateway cannot change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.send_count < OLD.send_count OR NEW.fence < OLD.fence THEN
    RAISE EXCEPTION 'refund %: send_count and fence only rise', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refund_guard BEFORE UPDATE ON refund FOR EACH ROW EXECUTE FUNCTION maedal_refund_guard();

-- Why a row came to where it is goes before why it was made: a refund has both.
CREATE OR REPLACE FUNCTION maedal_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  column_name text := TG_ARGV[0];
  was text := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ->> column_name END;
  becomes text := to_jsonb(NEW) ->> column_name;
BEGIN
  IF was IS DISTINCT FROM becomes THEN
    INSERT INTO history (entity, entity_id, from_state, to_state, reason, fence, who)
    VALUES (TG_TABLE_NAME, NEW.id, was, becomes, coalesce(to_jsonb(NEW) ->> 'fail_reason', to_jsonb(NEW) ->> 'reason'),
            (to_jsonb(NEW) ->> 'fence')::integer, current_setting('application_name'));
  END IF;
  RETURN NULL;
END $$;
-- An audit asks for what was paid in a window.
CREATE INDEX observation_captured ON observation (paid_at, imp_uid) WHERE paid_at IS NOT NULL;

-- Nothing is sent on a key that the gateway is going to charge by itself.
ALTER TABLE billing_key ADD COLUMN hold_reason text;
