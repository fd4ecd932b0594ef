-- Since when a charge is put off because the gateway shows one of its ids as neither paid nor failed: after a day
-- that is for a person.
ALTER TABLE attempt ADD COLUMN unsettled_since timestamptz;

-- What was proved absent may turn out declined before it goes again. A person may close what nobody ever finds out.
CREATE OR REPLACE FUNCTION maedal_attempt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
    ('prepared', 'sent'), ('prepared', 'canceled'), ('prepared', 'paid'), ('prepared', 'review'), ('prepared', 'declined'),
    ('sent', 'prepared'), ('sent', 'paid'), ('sent', 'declined'), ('sent', 'rejected'), ('sent', 'unknown'), ('sent', 'review'),
    ('unknown', 'prepared'), ('unknown', 'paid'), ('unknown', 'declined'), ('unknown', 'rejected'), ('unknown', 'review'), ('unknown', 'canceled'),
    ('declined', 'paid'), ('rejected', 'paid'), ('canceled', 'paid'),
    ('review', 'prepared'), ('review', 'paid'), ('review', 'declined'), ('review', 'canceled'), ('paid', 'review')
  ) THEN
    RAISE EXCEPTION 'attempt % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.send_count > 0 AND (OLD.merchant_uid, OLD.customer_uid, OLD.amount, OLD.currency, OLD.tax_free, OLD.vat, OLD.name)
    IS DISTINCT FROM (NEW.merchant_uid, NEW.customer_uid, NEW.amount, NEW.currency, NEW.tax_free, NEW.vat, NEW.name) THEN
    RAISE EXCEPTION 'attempt % was sent; what was asked of the gateway cannot change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.send_count < OLD.send_count OR NEW.fence < OLD.fence THEN
    RAISE EXCEPTION 'attempt %: send_count and fence only rise', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- The last send of an attempt that nothing answered: what ended without an answer may still be captured. While it is, or may
-- go again under its own id, its own state says so.
CREATE FUNCTION maedal_unanswered_at(a attempt) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT greatest(a.unanswered_at, CASE WHEN a.state IN ('review', 'canceled') AND a.send_count > a.not_sent_count THEN a.sent_at END)
$$;
