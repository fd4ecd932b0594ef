-- A missed period is kept a day apart from the customer's others from its beginning on, also while a person is yet to release it.
-- One that was on time and was marked by a retry by hand keeps its mark: it is charged later, and never twice.
UPDATE invoice SET spaced = true WHERE state = 'held' AND reason = 'catch_up' AND NOT spaced;
