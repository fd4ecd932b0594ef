-- What a subscription owes, one invoice left out of account: `given_up`, what is `collected` after a decline or waits for a person, or nothing.
CREATE FUNCTION maedal_owing(of_subscription uuid, but uuid DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN EXISTS (SELECT FROM invoice i WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but
                    AND i.state = 'uncollectible' AND i.reason IS DISTINCT FROM 'written_off') THEN 'given_up'
    WHEN EXISTS (SELECT FROM invoice i WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but
                    AND i.state IN ('retrying', 'review', 'held') AND i.failures > 0) THEN 'collected'
    ELSE 'nothing' END
$$;

-- What a past-due subscriber may use: nothing, where a step that one of the unpaid invoices has entered says so, or where periods
-- pile up behind one that was given up; else all of it. One invoice left out of account.
CREATE FUNCTION maedal_access_owing(of_subscription uuid, but uuid DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN EXISTS (
    SELECT FROM invoice i JOIN policy_version p ON p.id = i.policy_version_id
     WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but
       AND i.reason IS DISTINCT FROM 'written_off'
       AND ((i.state IN ('retrying', 'review', 'held', 'uncollectible') AND i.failures > 0
             AND EXISTS (SELECT FROM jsonb_array_elements(p.policy -> 'steps') WITH ORDINALITY AS entered (step, number)
                          WHERE entered.number <= i.steps_entered AND entered.step ->> 'access' = 'suspended'))
            OR (i.state = 'uncollectible' AND p.policy ->> 'later' = 'accumulate'))
  ) THEN 'suspended' ELSE 'grace' END
$$;

-- Access follows the status, whoever changes that; while it is past due, the steps of its policy may take it away sooner, and a
-- pause in between gives nothing back.
CREATE OR REPLACE FUNCTION maedal_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.access := CASE
    WHEN NEW.status IN ('trialing', 'active') THEN 'full'
    WHEN NEW.status = 'past_due' THEN CASE WHEN NEW.access = 'full' OR OLD.status = 'paused' THEN maedal_access_owing(NEW.id) ELSE NEW.access END
    ELSE 'suspended' END;
  RETURN NEW;
END $$;

-- Invoices that a scheduler settles because their subscription is not charged.
CREATE INDEX invoice_collected ON invoice (subscription_id) WHERE state IN ('open', 'retrying');
