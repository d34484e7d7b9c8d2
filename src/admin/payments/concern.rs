//! What somebody has to look at in a payment, and what to do about it.

use chrono::NaiveDateTime;

use crate::admin::store::payments::{PaymentRecord, SLOW_AFTER};
use crate::money::Money;
use crate::payment::{PaymentState, RefundSource, RefundState};

/// A problem that does not resolve by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    pub words: String,
    /// The amount of a refund that may be asked for again, as a form's field has it.
    pub refund_again: Option<String>,
}

impl PaymentRecord {
    #[must_use]
    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, &self.payment.currency)
    }

    /// The problems that somebody has to look at. `now`: UTC.
    #[must_use]
    pub fn concerns(&self, now: NaiveDateTime) -> Vec<Concern> {
        let mut concerns = Vec::new();
        let mut add = |words: String, refund_again| concerns.push(Concern { words, refund_again });
        let payment = &self.payment;
        let why = payment.last_error.as_deref().unwrap_or("It doesn’t match the booking.");
        if payment.state == PaymentState::Review {
            add(format!("{why} Check it in Stripe, and refund it there if the buyer gets no tickets."), None);
        }
        let is_overdue = payment.session_ends_at.is_some_and(|end| end + SLOW_AFTER < now);
        if payment.state == PaymentState::Open && is_overdue {
            add("Stripe hasn’t reported the outcome for an hour. We keep asking.".into(), None);
        }
        for refund in self.refunds.iter().rev() {
            let amount = self.money(refund.amount_minor);
            let why = refund.last_error.as_deref().unwrap_or("no reason given");
            let why = why.trim_end_matches('.');
            match (refund.source, refund.state) {
                (RefundSource::Dispute, RefundState::Pending) => {
                    add(format!("The buyer’s bank is disputing {amount}. Respond in Stripe."), None);
                }
                (RefundSource::Dispute, _) => {}
                (_, RefundState::Failed) if !refund.is_asked_again(&self.refunds) => {
                    let words = format!("A refund of {amount} failed: {why}.");
                    add(words, Some(amount.number()));
                }
                (_, RefundState::Wanted) if refund.wanted_at + SLOW_AFTER < now => {
                    add(format!("A refund of {amount} is waiting: {why}. We retry it automatically."), None);
                }
                (_, RefundState::Pending) if refund.last_error.is_some() => {
                    let words = format!("Stripe doesn’t say whether a refund of {amount} arrived: {why}.");
                    add(format!("{words} We keep asking."), None);
                }
                _ => {}
            }
        }
        concerns
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::admin::payments::tests::{record, refund};
    use crate::payment::{Payment, Refund};

    fn words(record: &PaymentRecord) -> Vec<String> {
        let now = NaiveDateTime::default() + TimeDelta::hours(3);
        record.concerns(now).into_iter().map(|it| it.words).collect()
    }

    #[test]
    fn what_goes_on_by_itself_is_no_concern() {
        let done = refund(1, RefundSource::Buyer, RefundState::Done, 5_000);
        let won = refund(2, RefundSource::Dispute, RefundState::Failed, 5_000);
        let record = PaymentRecord { refunds: vec![won, done], ..record() };
        assert!(words(&record).is_empty());
        let fresh = Refund {
            wanted_at: NaiveDateTime::default() + TimeDelta::hours(3),
            ..refund(1, RefundSource::Buyer, RefundState::Wanted, 1)
        };
        assert!(words(&PaymentRecord { refunds: vec![fresh], ..record }).is_empty());
    }

    #[test]
    fn what_does_not_is_told_with_the_way_out() {
        let review = Payment {
            state: PaymentState::Review,
            last_error: Some("Too little.".into()),
            ..record().payment
        };
        assert!(
            words(&PaymentRecord { payment: review, ..record() })[0]
                .starts_with("Too little. Check it in Stripe")
        );
        let failed = refund(1, RefundSource::Buyer, RefundState::Failed, 5_000);
        let now = NaiveDateTime::default();
        let once = PaymentRecord { refunds: vec![failed.clone()], ..record() };
        assert_eq!(once.concerns(now)[0].refund_again.as_deref(), Some("50.00"));
        assert!(words(&once)[0].contains("$50.00 failed: the card is closed"));
        let again = refund(2, RefundSource::Organizer, RefundState::Wanted, 5_000);
        let asked = PaymentRecord { refunds: vec![again, failed], ..record() };
        assert!(asked.concerns(now).is_empty(), "it was asked for again");
        assert!(words(&asked)[0].contains("is waiting"), "and that one waits");
        let unanswered = refund(1, RefundSource::Buyer, RefundState::Pending, 5_000);
        let record_of = |refund| PaymentRecord { refunds: vec![refund], ..record() };
        let told = words(&record_of(unanswered.clone()));
        assert!(told[0].contains("whether a refund of $50.00 arrived: the card is closed. We"), "{told:?}");
        assert!(words(&record_of(Refund { last_error: None, ..unanswered })).is_empty(), "it is on its way");
        let disputed = refund(1, RefundSource::Dispute, RefundState::Pending, 20_000);
        assert!(
            words(&PaymentRecord { refunds: vec![disputed], ..record() })[0]
                .contains("bank is disputing $200.00")
        );
    }
}
