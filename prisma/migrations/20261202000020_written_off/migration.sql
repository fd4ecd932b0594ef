-- Its policy wrote it off: its subscription owes it no more, though a person may have it tried again.
ALTER TABLE invoice ADD COLUMN written_off boolean NOT NULL DEFAULT false;
UPDATE invoice SET written_off = true
 WHERE (state = 'uncollectible' AND reason = 'written_off')
    OR (state IN ('retrying', 'held', 'review')
        AND EXISTS (SELECT FROM history h WHERE h.entity_id = invoice.id AND h.to_state = 'uncollectible' AND h.reason = 'written_off'));

-- What a subscription owes, one invoice left out of account: `given_up`, what is `collected` after a decline or waits for a person, or nothing.
CREATE OR REPLACE FUNCTION maedal_owing(of_subscription uuid, but uuid DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN EXISTS (SELECT FROM invoice i WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but
                    AND i.state = 'uncollectible' AND NOT i.written_off) THEN 'given_up'
    WHEN EXISTS (SELECT FROM invoice i WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but
                    AND i.state IN ('retrying', 'review', 'held') AND i.failures > 0 AND NOT i.written_off) THEN 'collected'
    ELSE 'nothing' END
$$;

-- How a subscription that is past due or unpaid stands by what it owes, one invoice left out of account: unpaid, where an invoice
-- was given up under a policy that holds the others, and none is being collected.
CREATE OR REPLACE FUNCTION maedal_status_owing(of_subscription uuid, but uuid DEFAULT NULL) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT CASE maedal_owing(of_subscription, but)
    WHEN 'nothing' THEN 'active'
    WHEN 'collected' THEN 'past_due'
    ELSE CASE WHEN EXISTS (SELECT FROM invoice i JOIN policy_version p ON p.id = i.policy_version_id
                            WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but AND i.state = 'uncollectible'
                              AND NOT i.written_off AND p.policy ->> 'later' IS DISTINCT FROM 'accumulate')
               AND NOT EXISTS (SELECT FROM invoice i WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but
                                  AND i.state IN ('open', 'retrying')) THEN 'unpaid' ELSE 'past_due' END END
$$;

-- What unpaid invoices leave of a subscriber's access, one left out of account: 3 nothing, 2 grace, 1 all of it; null where none
-- does. Each as its steps left it, whatever it was declined for since; one that was given up leaves nothing, tried again or not,
-- before it is paid.
CREATE OR REPLACE FUNCTION maedal_access_level(of_subscription uuid, but uuid DEFAULT NULL) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT max(maedal_invoice_strictness(i.id, i.state, i.step_access))
    FROM invoice i
   WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but AND NOT i.written_off
     AND (i.state = 'uncollectible' OR (i.state IN ('retrying', 'review', 'held') AND i.failures > 0))
$$;
