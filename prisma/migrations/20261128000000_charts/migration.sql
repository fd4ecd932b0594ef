-- The charts of invoices and subscriptions, kept where code cannot forget them, as an attempt's and a refund's are. Most
-- updates leave the state as it is, and do not ask.
CREATE FUNCTION maedal_invoice_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.state, NEW.state) NOT IN (
    ('open', 'retrying'), ('open', 'held'), ('open', 'review'), ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'),
    ('retrying', 'open'), ('retrying', 'held'), ('retrying', 'review'), ('retrying', 'paid'), ('retrying', 'void'),
    ('retrying', 'uncollectible'),
    ('held', 'open'), ('held', 'retrying'), ('held', 'review'), ('held', 'paid'), ('held', 'void'),
    ('review', 'open'), ('review', 'retrying'), ('review', 'held'), ('review', 'paid'), ('review', 'void'),
    ('paid', 'review'), ('paid', 'refunded'), ('refunded', 'review'), ('waived', 'review'), ('void', 'review'),
    ('uncollectible', 'retrying'), ('uncollectible', 'review'), ('uncollectible', 'paid'), ('uncollectible', 'void')
  ) THEN
    RAISE EXCEPTION 'invoice % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER invoice_guard BEFORE UPDATE ON invoice FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION maedal_invoice_guard();

-- `canceled` is final.
CREATE FUNCTION maedal_subscription_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status, NEW.status) NOT IN (
    ('trialing', 'active'), ('trialing', 'paused'), ('trialing', 'canceled'),
    ('active', 'past_due'), ('active', 'unpaid'), ('active', 'paused'), ('active', 'canceled'),
    ('past_due', 'active'), ('past_due', 'unpaid'), ('past_due', 'paused'), ('past_due', 'canceled'),
    ('unpaid', 'active'), ('unpaid', 'past_due'), ('unpaid', 'paused'), ('unpaid', 'canceled'),
    ('paused', 'active'), ('paused', 'past_due'), ('paused', 'canceled')
  ) THEN
    RAISE EXCEPTION 'subscription % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER subscription_guard BEFORE UPDATE ON subscription FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
  EXECUTE FUNCTION maedal_subscription_guard();
