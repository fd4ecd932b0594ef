-- The steps that a declined invoice has entered, by their names; on which day after its due date the last of them was; and what they
-- leave of access. Its policy may have other steps by now.
ALTER TABLE invoice ADD COLUMN entered_steps text[] NOT NULL DEFAULT '{}', ADD COLUMN step_day integer,
  ADD COLUMN step_access text CHECK (step_access IN ('full', 'grace', 'suspended'));
UPDATE invoice SET entered_steps = entered.names, step_day = entered.day, step_access = entered.access
  FROM policy_version p CROSS JOIN LATERAL (
    SELECT p.id AS version, n.entered AS count, array_agg(s.step ->> 'name' ORDER BY s.number) AS names, max((s.step ->> 'afterDays')::integer) AS day,
           (array_agg(s.step ->> 'access' ORDER BY s.number DESC) FILTER (WHERE s.step ->> 'access' IS NOT NULL))[1] AS access
      FROM (SELECT DISTINCT steps_entered AS entered FROM invoice WHERE steps_entered > 0) n
      JOIN jsonb_array_elements(p.policy -> 'steps') WITH ORDINALITY AS s (step, number) ON s.number <= n.entered
     GROUP BY n.entered) entered
 WHERE p.id = invoice.policy_version_id AND entered.count = invoice.steps_entered;
ALTER TABLE invoice DROP COLUMN steps_entered;

-- The next step of a policy for an invoice: the first one whose name it has not entered, and whose day comes after that of the last.
CREATE FUNCTION maedal_next_step(version text, entered text[], last_day integer) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT s.step FROM policy_version p CROSS JOIN LATERAL jsonb_array_elements(p.policy -> 'steps') WITH ORDINALITY AS s (step, number)
   WHERE p.id = version AND s.step ->> 'name' <> ALL (entered) AND (s.step ->> 'afterDays')::integer > coalesce(last_day, -1)
   ORDER BY s.number LIMIT 1
$$;

-- What one invoice leaves of access, as `maedal_strictness` has it: nothing, once it was given up.
CREATE FUNCTION maedal_invoice_strictness(invoice uuid, state text, step_access text) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN state = 'uncollectible' OR EXISTS (SELECT FROM history h WHERE h.entity_id = invoice AND h.from_state = 'uncollectible') THEN 3
              ELSE maedal_strictness(step_access) END
$$;

-- What unpaid invoices leave of a subscriber's access, one left out of account: 3 nothing, 2 grace, 1 all of it; null where none
-- does. Each as its steps left it, whatever it was declined for since; one that was given up leaves nothing, tried again or not,
-- before it is paid.
CREATE OR REPLACE FUNCTION maedal_access_level(of_subscription uuid, but uuid DEFAULT NULL) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT max(maedal_invoice_strictness(i.id, i.state, i.step_access))
    FROM invoice i
   WHERE i.subscription_id = of_subscription AND i.id IS DISTINCT FROM but AND i.reason IS DISTINCT FROM 'written_off'
     AND (i.state = 'uncollectible' OR (i.state IN ('retrying', 'review', 'held') AND i.failures > 0))
$$;
