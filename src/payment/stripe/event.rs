//! Stripe's events, as webhooks bring them and as its list has them. An event only says that something may
//! have changed; Stripe is then asked for the current state.

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

use crate::payment::store::inbox::NewEvent;

/// The kinds of events that this program follows, and for which it asks in Stripe's list. Stripe accepts
/// twenty at most.
pub const FOLLOWED: [&str; 15] = [
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "payment_intent.payment_failed",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
];

/// What an event is about, as far as this program follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventConcern {
    /// A page on which a buyer pays.
    Page,
    /// Money that goes back, or that a bank asks for.
    Return,
}

impl EventConcern {
    /// `None`: this program does nothing about it.
    #[must_use]
    pub fn of(kind: &str) -> Option<Self> {
        let begins = |starts: &[&str]| starts.iter().any(|start| kind.starts_with(start));
        match kind {
            _ if begins(&["checkout.session.", "payment_intent.payment_failed"]) => Some(Self::Page),
            _ if begins(&["charge.refund", "refund.", "charge.dispute."]) => Some(Self::Return),
            _ => None,
        }
    }
}

/// What Stripe tells, in a webhook or in its list of events. Little more than the ids is read from its
/// object; Stripe is then asked for the current state.
#[derive(Debug, Clone, Deserialize)]
pub struct EventObject {
    pub id: String,
    /// "checkout.session.completed"
    #[serde(rename = "type")]
    pub kind: String,
    /// Seconds since 1970.
    pub created: i64,
    pub livemode: bool,
    data: EventData,
}

#[derive(Debug, Clone, Deserialize)]
struct EventData {
    object: Value,
}

impl EventObject {
    /// The event for the inbox. `None`: nothing is done about it. Refunds that began here are left out,
    /// unless they failed: they are known, and there are thousands of them when a concert is canceled.
    #[must_use]
    pub fn to_keep(&self) -> Option<NewEvent> {
        EventConcern::of(&self.kind)?;
        if self.is_refund_of_ours() {
            return None;
        }
        Some(NewEvent {
            event_id: self.id.clone(),
            kind: self.kind.clone(),
            object_id: self.object_id()?.to_owned(),
            intent_id: self.intent_id().map(str::to_owned),
            payment_id: self.payment_id(),
            returned: self.returned(),
            live: self.livemode,
            happened_at: DateTime::from_timestamp(self.created, 0)?.naive_utc(),
        })
    }

    fn is_refund_of_ours(&self) -> bool {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let object = &self.data.object;
        let has_failed = matches!(text(object.get("status")).as_deref(), Some("failed" | "canceled"));
        let is_ours = object.get("metadata").is_some_and(|it| it.get("refund").is_some());
        text(object.get("object")).as_deref() == Some("refund") && is_ours && !has_failed
    }

    /// How much of a charge has gone back, in Stripe's units.
    fn returned(&self) -> Option<i64> {
        self.data.object.get("amount_refunded")?.as_i64()
    }

    /// The id of what it is about.
    #[must_use]
    pub fn object_id(&self) -> Option<&str> {
        self.data.object.get("id")?.as_str()
    }

    /// The payment that it is about, as the request for its page has named it. Stripe makes the intent only
    /// when the buyer first tries to pay, so this site may not know the intent's id yet.
    #[must_use]
    pub fn payment_id(&self) -> Option<i64> {
        self.data.object.get("metadata")?.get("payment")?.as_str()?.parse().ok()
    }

    /// The intent that it is about, or that its object belongs to.
    #[must_use]
    pub fn intent_id(&self) -> Option<&str> {
        let object = &self.data.object;
        if object.get("object").and_then(Value::as_str) == Some("payment_intent") {
            return self.object_id();
        }
        let intent = object.get("payment_intent")?;
        intent.as_str().or_else(|| intent.get("id")?.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_known_by_the_ids_in_it() {
        let event = |object: &str| -> EventObject {
            let text = format!(
                r#"{{"id": "evt_1", "type": "x", "created": 1, "livemode": true, "data": {{"object": {object}}}}}"#
            );
            serde_json::from_str(&text).expect("an event")
        };
        let of = |object: &str| {
            let event = event(object);
            (event.object_id().map(str::to_owned), event.intent_id().map(str::to_owned))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            of(r#"{"id": "cs_1", "object": "checkout.session", "payment_intent": null}"#),
            (some("cs_1"), None)
        );
        assert_eq!(of(r#"{"id": "pi_1", "object": "payment_intent"}"#), (some("pi_1"), some("pi_1")));
        assert_eq!(
            of(r#"{"id": "re_1", "object": "refund", "payment_intent": "pi_1"}"#),
            (some("re_1"), some("pi_1"))
        );
        assert_eq!(of("{}"), (None, None));
        assert_eq!(of("7"), (None, None));
    }

    #[test]
    fn refunds_that_began_here_are_news_only_when_they_fail() {
        let kept = |metadata: &str, status: &str| {
            let text = format!(
                r#"{{"id": "evt_1", "type": "refund.updated", "created": 1, "livemode": true, "data": {{"object":
                    {{"id": "re_1", "object": "refund", "metadata": {metadata}, "status": "{status}"}}}}}}"#
            );
            serde_json::from_str::<EventObject>(&text).expect("an event").to_keep().is_some()
        };
        let ours = r#"{"refund": "7"}"#;
        assert!(!kept(ours, "succeeded") && !kept(ours, "pending"));
        assert!(kept(ours, "failed") && kept(ours, "canceled") && kept("{}", "succeeded"));
    }

    #[test]
    fn what_is_listed_is_followed() {
        assert!(FOLLOWED.iter().all(|kind| EventConcern::of(kind).is_some()));
    }

    #[test]
    fn what_this_program_follows_is_kept() {
        for (kind, concern) in [
            ("checkout.session.completed", Some(EventConcern::Page)),
            ("checkout.session.expired", Some(EventConcern::Page)),
            ("payment_intent.payment_failed", Some(EventConcern::Page)),
            ("charge.refunded", Some(EventConcern::Return)),
            ("charge.refund.updated", Some(EventConcern::Return)),
            ("refund.failed", Some(EventConcern::Return)),
            ("charge.dispute.created", Some(EventConcern::Return)),
            ("charge.succeeded", None),
            ("payout.paid", None),
        ] {
            assert_eq!(EventConcern::of(kind), concern, "{kind}");
        }
    }
}
