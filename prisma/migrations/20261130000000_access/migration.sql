-- What a subscriber may use: all of it, all of it although something is owed, or nothing.
ALTER TABLE subscription ADD COLUMN access text NOT NULL DEFAULT 'full' CHECK (access IN ('full', 'grace', 'suspended'));
UPDATE subscription SET access = CASE status WHEN 'past_due' THEN 'grace' ELSE 'suspended' END WHERE status NOT IN ('trialing', 'active');

-- Access follows the status, whoever changes that; while it is past due, the steps of its policy may take it away sooner.
CREATE FUNCTION maedal_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.access := CASE
    WHEN NEW.status IN ('trialing', 'active') THEN 'full'
    WHEN NEW.status = 'past_due' THEN CASE WHEN NEW.access = 'full' OR OLD.status = 'paused' THEN 'grace' ELSE NEW.access END
    ELSE 'suspended' END;
  RETURN NEW;
END $$;
CREATE TRIGGER subscription_access BEFORE UPDATE OF status ON subscription
  FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION maedal_access();

-- How many steps of its policy a declined invoice has entered, and when it enters the next.
ALTER TABLE invoice ADD COLUMN steps_entered integer NOT NULL DEFAULT 0 CHECK (steps_entered >= 0);
ALTER TABLE invoice ADD COLUMN step_at timestamptz;
CREATE INDEX invoice_step ON invoice (step_at, id) WHERE state = 'retrying' AND step_at IS NOT NULL;
