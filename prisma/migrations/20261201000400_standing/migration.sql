-- Charged a day apart from the customer's other missed periods, whatever its reason became since.
ALTER TABLE invoice ADD COLUMN spaced boolean NOT NULL DEFAULT false;
UPDATE invoice SET spaced = true WHERE state IN ('open', 'retrying') AND reason = 'catch_up';

-- What people did to one subscription or invoice.
CREATE INDEX audit_of_subject ON audit (subject, id);

-- How a subscription that is past due or unpaid stands by what it owes, one invoice left out of account: unpaid, where an invoice
-- was given up under a policy that holds the others, and none is being collected.
CREATE FUNCTION maedal_status_owing(of_subscription uuid, but uuid DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE maedal_owing(of_subscription, but)
    WHEN 'nothing' THEN 'active'
    WHEN 'collected' THEN 'past_due'
    ELSE CASE WHEN EXISTS (SELECT FROM invoice i JOIN policy_version p ON p.id = i.policy_version_id
                            WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but AND i.state = 'uncollectible'
                              AND i.reason IS DISTINCT FROM 'written_off' AND p.policy ->> 'later' IS DISTINCT FROM 'accumulate')
               AND NOT EXISTS (SELECT FROM invoice i WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but
                                  AND i.state IN ('open', 'retrying')) THEN 'unpaid' ELSE 'past_due' END END
$$;

-- The class of an invoice's last decline.
CREATE FUNCTION maedal_last_decline(of_invoice uuid) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT a.decline_class FROM attempt a WHERE a.invoice_id = of_invoice AND a.state IN ('declined', 'rejected') ORDER BY a.number DESC LIMIT 1
$$;

-- Access as a number, the strictest the highest; grace where nothing else is said.
CREATE FUNCTION maedal_strictness(access text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE access WHEN 'suspended' THEN 3 WHEN 'full' THEN 1 ELSE 2 END
$$;

-- What unpaid invoices leave of a subscriber's access, one left out of account: 3 nothing, 2 grace, 1 all of it; null where none
-- does. Each as the last step says that it has entered and that says anything; one that was given up leaves nothing, tried again or
-- not, before it is paid; and what was refused for the merchant's own account takes nothing away.
CREATE FUNCTION maedal_access_level(of_subscription uuid, but uuid DEFAULT NULL) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT max(CASE WHEN i.state = 'uncollectible' OR EXISTS (SELECT FROM history h WHERE h.entity_id = i.id AND h.from_state = 'uncollectible') THEN 3
                  WHEN maedal_last_decline(i.id) = 'config' THEN least(maedal_strictness(entered.access), 2)
                  ELSE maedal_strictness(entered.access) END)
    FROM invoice i JOIN policy_version p ON p.id = i.policy_version_id
         LEFT JOIN LATERAL (SELECT step ->> 'access' AS access FROM jsonb_array_elements(p.policy -> 'steps') WITH ORDINALITY AS s (step, number)
                             WHERE s.number <= i.steps_entered AND step ->> 'access' IS NOT NULL ORDER BY s.number DESC LIMIT 1) entered ON true
   WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but AND i.reason IS DISTINCT FROM 'written_off'
     AND (i.state = 'uncollectible' OR (i.state IN ('retrying', 'review', 'held') AND i.failures > 0))
$$;

-- What a past-due subscriber may use.
CREATE OR REPLACE FUNCTION maedal_access_owing(of_subscription uuid, but uuid DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT (ARRAY['full', 'grace', 'suspended'])[coalesce(maedal_access_level(of_subscription, but), 2)]
$$;

-- A pause that ends finds what was given up before it still unpaid.
CREATE OR REPLACE FUNCTION maedal_subscription_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status, NEW.status) NOT IN (
    ('trialing', 'active'), ('trialing', 'paused'), ('trialing', 'canceled'),
    ('active', 'past_due'), ('active', 'unpaid'), ('active', 'paused'), ('active', 'canceled'),
    ('past_due', 'active'), ('past_due', 'unpaid'), ('past_due', 'paused'), ('past_due', 'canceled'),
    ('unpaid', 'active'), ('unpaid', 'past_due'), ('unpaid', 'paused'), ('unpaid', 'canceled'),
    ('paused', 'active'), ('paused', 'past_due'), ('paused', 'unpaid'), ('paused', 'canceled')
  ) THEN
    RAISE EXCEPTION 'subscription % cannot go from % to %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
