-- Since when a payment that was seen to be taken is not at the gateway any more: it says failed, or knows no such payment.
-- Nothing is kept of it then, until it is seen again.
ALTER TABLE observation ADD COLUMN gone_at timestamptz;
