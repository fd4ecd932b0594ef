-- A missed period is kept a day apart from the customer's others from its beginning on, also while a person is yet to release it.
UPDATE invoice SET spaced = true WHERE state = 'held' AND reason = 'catch_up' AND NOT spaced;
