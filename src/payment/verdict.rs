//! What a page at the provider means for its payment. The page is believed only where it says what was asked for: the
//! same amount, the same currency, the same kind of money.

use super::Payment;
use super::store::settling::PaidPage;
use super::stripe::amount::of_stripe;
use super::stripe::objects::CheckoutSession;
use crate::money::Money;

/// What a page means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Paid(PaidPage),
    /// Nobody can pay on it any more, and nothing that was paid is left.
    Closed,
    /// The bank said no, and the buyer may try again on the same page.
    Declined(String),
    /// It may still be paid on.
    Open,
    /// It is not what was asked for: people have to look. Why, in words for the organizer.
    Review(String),
}

/// Judges a page as the provider shows it now.
#[must_use]
pub fn judge(payment: &Payment, session: &CheckoutSession) -> Verdict {
    if session.livemode != payment.live {
        let (is, was) = if session.livemode { ("real", "test") } else { ("test", "real") };
        let what = if session.is_paid() { "It was paid with" } else { "Stripe’s page is for" };
        return review(session, format!("{what} {is} money, and {was} money was asked for."));
    }
    if session.is_paid() {
        return judge_paid(payment, session);
    }
    if session.is_expired() {
        return Verdict::Closed;
    }
    match session.declined() {
        Some(code) if payment.declined.as_deref() != Some(code) => Verdict::Declined(code.to_owned()),
        _ => Verdict::Open,
    }
}

/// A page that does not say what was asked for needs people to look, unless all that was paid has gone back.
fn review(session: &CheckoutSession, why: String) -> Verdict {
    if session.is_paid() && session.is_refunded() { Verdict::Closed } else { Verdict::Review(why) }
}

fn judge_paid(payment: &Payment, session: &CheckoutSession) -> Verdict {
    let currency = session.currency.as_deref().unwrap_or_default().to_ascii_uppercase();
    let amount = session.amount_total.and_then(|amount| of_stripe(amount, &currency));
    if currency != payment.currency || amount != Some(payment.amount_minor) {
        let asked = payment.amount();
        let paid = amount.filter(|_| !currency.is_empty()).map(|minor| Money::new(minor, &currency));
        let says = paid.map_or("another amount".to_owned(), |paid| paid.to_string());
        return review(session, format!("{asked} was asked for; Stripe says {says}."));
    }
    let Some(intent_id) = session.intent_id() else {
        return review(session, "It is paid, and Stripe names no payment.".to_owned());
    };
    Verdict::Paid(PaidPage {
        session_id: session.id.clone(),
        session_ends_at: session.ends_at(),
        intent_id: intent_id.to_owned(),
        method: session.method(),
        fee: session.fee(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::{PaymentState, tests};

    fn payment() -> Payment {
        let paid = tests::payment(21_000, Some(0));
        Payment { live: true, state: PaymentState::Open, session_id: Some("cs_1".into()), ..paid }
    }

    fn session(changes: &str) -> CheckoutSession {
        let mut session: serde_json::Value = serde_json::from_str(
            r#"{"id": "cs_1", "status": "complete", "payment_status": "paid", "amount_total": 21000,
                "currency": "usd", "livemode": true, "expires_at": 1, "payment_intent": {"id": "pi_1",
                "latest_charge": {"id": "ch_1", "balance_transaction": {"fee": 639, "currency": "usd"}}}}"#,
        )
        .expect("JSON");
        let changes: serde_json::Value = serde_json::from_str(changes).expect("JSON");
        for (field, value) in changes.as_object().expect("an object") {
            session[field] = value.clone();
        }
        serde_json::from_value(session).expect("a session")
    }

    #[test]
    fn what_was_asked_for_is_paid() {
        let Verdict::Paid(paid) = judge(&payment(), &session("{}")) else { panic!("paid") };
        assert_eq!((&*paid.intent_id, paid.fee), ("pi_1", Some(Money::new(639, "USD"))));
        let elsewhere = r#"{"payment_intent": {"id": "pi_1", "latest_charge": {"id": "ch_1",
            "balance_transaction": {"fee": 639, "currency": "eur"}}}}"#;
        let Verdict::Paid(paid) = judge(&payment(), &session(elsewhere)) else { panic!("paid") };
        assert_eq!(paid.fee, Some(Money::new(639, "EUR")), "the account has another currency");
    }

    #[test]
    fn anything_else_that_was_paid_is_for_people() {
        for changes in [
            r#"{"amount_total": 20999}"#,
            r#"{"amount_total": 2100000}"#,
            r#"{"amount_total": null}"#,
            r#"{"currency": "eur"}"#,
            r#"{"currency": null}"#,
            r#"{"livemode": false}"#,
            r#"{"payment_intent": null}"#,
        ] {
            assert!(matches!(judge(&payment(), &session(changes)), Verdict::Review(_)), "{changes}");
        }
    }

    #[test]
    fn the_organizer_reads_amounts_as_pages_write_them() {
        for (changes, says) in [
            (r#"{"amount_total": 20999}"#, "$210.00 was asked for; Stripe says $209.99."),
            (r#"{"currency": "jpy"}"#, "$210.00 was asked for; Stripe says ¥21,000."),
            (r#"{"amount_total": null}"#, "$210.00 was asked for; Stripe says another amount."),
            (r#"{"currency": null}"#, "$210.00 was asked for; Stripe says another amount."),
            (r#"{"livemode": false}"#, "It was paid with test money, and real money was asked for."),
            (
                r#"{"livemode": false, "status": "open", "payment_status": "unpaid"}"#,
                "Stripe’s page is for test money, and real money was asked for.",
            ),
        ] {
            assert_eq!(judge(&payment(), &session(changes)), Verdict::Review(says.to_owned()), "{changes}");
        }
    }

    #[test]
    fn what_has_gone_back_needs_no_look() {
        let refunded = r#"{"amount_total": 20999, "payment_intent": {"id": "pi_1",
            "latest_charge": {"id": "ch_1", "refunded": true}}}"#;
        assert_eq!(judge(&payment(), &session(refunded)), Verdict::Closed);
        let as_asked =
            r#"{"payment_intent": {"id": "pi_1", "latest_charge": {"id": "ch_1", "refunded": true}}}"#;
        assert!(
            matches!(judge(&payment(), &session(as_asked)), Verdict::Paid(_)),
            "the refund is noted by itself"
        );
    }

    #[test]
    fn a_page_is_closed_only_when_the_provider_says_so() {
        let closed = r#"{"status": "expired", "payment_status": "unpaid"}"#;
        assert_eq!(judge(&payment(), &session(closed)), Verdict::Closed);
        for open in [
            r#"{"status": "open", "payment_status": "unpaid", "payment_intent": null}"#,
            r#"{"status": "complete", "payment_status": "unpaid"}"#,
            r#"{"status": "something new", "payment_status": "unpaid"}"#,
            r#"{"status": null, "payment_status": ""}"#,
        ] {
            assert_eq!(judge(&payment(), &session(open)), Verdict::Open, "{open}");
        }
    }

    #[test]
    fn a_refusal_of_the_bank_is_told_once() {
        let declined = r#"{"status": "open", "payment_status": "unpaid", "payment_intent": {"id": "pi_1",
            "last_payment_error": {"code": "card_declined", "decline_code": "insufficient_funds"}}}"#;
        let why = "insufficient_funds".to_owned();
        assert_eq!(judge(&payment(), &session(declined)), Verdict::Declined(why.clone()));
        let told = Payment { declined: Some(why), ..payment() };
        assert_eq!(judge(&told, &session(declined)), Verdict::Open);
    }
}
