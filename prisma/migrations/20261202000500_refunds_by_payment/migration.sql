-- What is kept of a payment is asked of at each capture that is accounted for: all its refunds, the ended ones too.
CREATE INDEX refund_of_payment ON refund (imp_uid);
