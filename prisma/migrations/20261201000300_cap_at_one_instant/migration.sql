-- Until when a card may not be charged, for its declines of the last days, those for its own sake, and what is on its way; NULL when it may. VOLATILE,
-- and so with a snapshot of its own: whoever waited for the card's lock sees what was sent meanwhile. One query, for between two an
-- answer turns what is on its way into a decline, and neither would count it.
CREATE OR REPLACE FUNCTION maedal_capped_until(card uuid, most integer, in_days integer, but uuid) RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (
    WITH counted AS MATERIALIZED (
      SELECT a.answered_at AS declined_at FROM attempt a
       WHERE a.billing_key_id = card AND a.state IN ('declined', 'rejected') AND a.decline_class <> 'config'
         AND a.answered_at > maedal_now() - make_interval(days => in_days)
      UNION ALL
      SELECT NULL FROM attempt a WHERE a.billing_key_id = card AND a.state IN ('sent', 'unknown') AND a.id <> but
    )
    SELECT CASE
      WHEN count(declined_at) >= most THEN
        (SELECT declined_at + make_interval(days => in_days) FROM counted WHERE declined_at IS NOT NULL ORDER BY declined_at DESC OFFSET most - 1 LIMIT 1)
      -- By then what is on its way has an answer, as a rule.
      WHEN count(*) >= most THEN maedal_now() + interval '10 minutes' END
      FROM counted);
END $$;
