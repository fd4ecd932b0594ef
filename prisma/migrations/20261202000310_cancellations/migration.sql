-- What was given back of a payment, as the gateway lists it, the oldest first: [{"id": …, "minor": …}].
ALTER TABLE observation ADD COLUMN cancellations jsonb NOT NULL DEFAULT '[]';
