//! Money as the organizer sees it: the payments of a concert, those that somebody has to look at, refunds by
//! hand, and whether the provider's webhook reaches this site.
//!
//! How money goes back does not belong here: see `payment`.

pub mod concern;
pub mod export;
pub mod health;
pub mod list;
pub mod refund;
pub mod totals;

use crate::payment::Payment;

/// A payment's page at the provider.
#[must_use]
pub fn stripe_page(payment: &Payment) -> Option<String> {
    let intent = payment.intent_id.as_deref()?;
    let mode = if payment.live { "" } else { "test/" };
    Some(format!("https://dashboard.stripe.com/{mode}payments/{intent}"))
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::NaiveDateTime;

    use crate::admin::store::payments::PaymentRecord;
    use crate::money::Money;
    use crate::payment::tests::payment;
    use crate::payment::{Payment, Refund, RefundSource, RefundState};

    /// 200 dollars that were paid.
    pub fn record() -> PaymentRecord {
        let (session_id, intent_id) = (Some("cs_1".into()), Some("pi_1".into()));
        let payment = Payment { live: true, session_id, intent_id, ..payment(20_000, Some(0)) };
        PaymentRecord {
            payment,
            reference: "TK-7F3K-9QXM".into(),
            buyer_name: "Ada".into(),
            slug: "show".into(),
            event_name: "Show".into(),
            refunds: Vec::new(),
            fees: vec![Money::new(610, "USD")],
        }
    }

    pub fn refund(id: i64, source: RefundSource, state: RefundState, amount_minor: i64) -> Refund {
        Refund {
            id,
            payment_id: 1,
            source,
            state,
            amount_minor,
            beyond_minor: 0,
            seats: String::new(),
            reason: String::new(),
            idempotency_key: "key".into(),
            refund_id: None,
            wanted_at: NaiveDateTime::default(),
            due_at: NaiveDateTime::default(),
            attempts: 0,
            last_error: Some("the card is closed".into()),
        }
    }

    #[test]
    fn a_payment_is_found_at_stripe_in_its_own_mode() {
        let live = record().payment;
        assert_eq!(super::stripe_page(&live).as_deref(), Some("https://dashboard.stripe.com/payments/pi_1"));
        let test = Payment { live: false, ..live.clone() };
        assert!(super::stripe_page(&test).is_some_and(|it| it.contains("/test/payments/")));
        assert_eq!(super::stripe_page(&Payment { intent_id: None, ..live }), None);
    }
}
