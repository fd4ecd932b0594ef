-- The payer's cards in the order in which an invoice is charged on them, its subscription's own first, and how each did on it.
-- What was refused for the merchant's own account is counted by itself: it uses up no card's rungs.
CREATE OR REPLACE FUNCTION maedal_cards(of_invoice uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'declines', tried.declines, 'refusals', tried.refusals,
                                               'lastTriedAt', tried.last, 'declined', tried.class)
                            ORDER BY k.id = s.billing_key_id DESC, k.preference, k.id), '[]')
    FROM invoice i
    JOIN subscription s ON s.id = i.subscription_id
    JOIN billing_key k ON k.customer_id = s.customer_id AND k.state = 'active' AND (k.id = s.billing_key_id OR k.preference > 0)
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE a.state IN ('declined', 'rejected') AND a.decline_class IS DISTINCT FROM 'config') AS declines,
             count(*) FILTER (WHERE a.state IN ('declined', 'rejected') AND a.decline_class = 'config') AS refusals,
             max(a.sent_at) AS last,
             (array_agg(a.decline_class ORDER BY a.number DESC) FILTER (WHERE a.state IN ('declined', 'rejected')))[1] AS class
        FROM attempt a WHERE a.invoice_id = i.id AND a.billing_key_id = k.id AND a.send_count > 0) tried
   WHERE i.id = of_invoice
$$;
