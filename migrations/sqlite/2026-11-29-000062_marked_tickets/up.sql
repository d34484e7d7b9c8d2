-- Gates ask every few seconds which tickets were refunded or disputed at the provider: few of all refunds.
CREATE INDEX refunds_marks ON refunds (payment_id) WHERE source IN ('outside', 'dispute') AND state <> 'failed';
