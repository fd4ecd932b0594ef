-- What is kept of a row that moves is read off its own columns: one function for all tables had to turn each row into JSON
-- for that, several times for each of the five rows that a charge moves. And it is called only for rows that moved.
CREATE FUNCTION maedal_attempt_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history (entity, entity_id, from_state, to_state, reason, fence, who)
  VALUES ('attempt', NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, NEW.fail_reason, NEW.fence, current_setting('application_name'));
  RETURN NULL;
END $$;
CREATE FUNCTION maedal_invoice_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history (entity, entity_id, from_state, to_state, reason, who)
  VALUES ('invoice', NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, NEW.reason, current_setting('application_name'));
  RETURN NULL;
END $$;
CREATE FUNCTION maedal_subscription_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history (entity, entity_id, from_state, to_state, who)
  VALUES ('subscription', NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status, current_setting('application_name'));
  RETURN NULL;
END $$;
CREATE FUNCTION maedal_refund_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO history (entity, entity_id, from_state, to_state, reason, fence, who)
  VALUES ('refund', NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state, coalesce(NEW.fail_reason, NEW.reason), NEW.fence,
          current_setting('application_name'));
  RETURN NULL;
END $$;

DROP TRIGGER attempt_history ON attempt;
DROP TRIGGER invoice_history ON invoice;
DROP TRIGGER subscription_history ON subscription;
DROP TRIGGER refund_history ON refund;
DROP FUNCTION maedal_history();

CREATE TRIGGER attempt_history AFTER UPDATE ON attempt FOR EACH ROW
  -- What leaves an attempt in its state is kept as well: a look-up that proved nothing, a charge that was put off.
  WHEN (OLD.state IS DISTINCT FROM NEW.state OR (NEW.fail_reason IS NOT NULL
        AND (NEW.fail_reason IS DISTINCT FROM OLD.fail_reason OR NEW.not_found_count > OLD.not_found_count)))
  EXECUTE FUNCTION maedal_attempt_history();
CREATE TRIGGER attempt_history_begun AFTER INSERT ON attempt FOR EACH ROW EXECUTE FUNCTION maedal_attempt_history();
CREATE TRIGGER invoice_history AFTER UPDATE ON invoice FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION maedal_invoice_history();
CREATE TRIGGER invoice_history_begun AFTER INSERT ON invoice FOR EACH ROW EXECUTE FUNCTION maedal_invoice_history();
CREATE TRIGGER subscription_history AFTER UPDATE ON subscription FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION maedal_subscription_history();
CREATE TRIGGER subscription_history_begun AFTER INSERT ON subscription FOR EACH ROW EXECUTE FUNCTION maedal_subscription_history();
CREATE TRIGGER refund_history AFTER UPDATE ON refund FOR EACH ROW
  WHEN (OLD.state IS DISTINCT FROM NEW.state OR (NEW.fail_reason IS NOT NULL AND NEW.fail_reason IS DISTINCT FROM OLD.fail_reason))
  EXECUTE FUNCTION maedal_refund_history();
CREATE TRIGGER refund_history_begun AFTER INSERT ON refund FOR EACH ROW EXECUTE FUNCTION maedal_refund_history();
