//! The state of the fake Stripe, and its changes.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Value, json};

use super::refunds::Refund;

/// How webhooks are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Once,
    Twice,
    Never,
    Late(Duration),
    /// Signed with another secret.
    Forged,
}

/// How requests fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request is not executed, and the connection is closed without an answer.
    HangUp,
    /// The request is not executed, and the client waits for an answer that does not come.
    Hang,
    /// The request is not executed, and this status is the answer.
    Status(u16),
    /// The request is executed, and the answer comes after a while.
    Late(Duration),
    /// The request is executed, and the connection is closed without an answer.
    LoseAnswer,
    /// The request is executed, and the client waits for an answer that does not come.
    Mute,
    /// The request is not executed, and the answer is 500, also when the same key comes again.
    Stuck,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    Open,
    Paid,
    Expired,
}

#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    pub intent: String,
    pub status: SessionStatus,
    pub amount: i64,
    pub currency: String,
    pub reference: String,
    /// The site's own name of the payment.
    pub payment: String,
    pub expires_at: i64,
    pub success_url: String,
    pub cancel_url: String,
    /// The reason of the bank's last refusal.
    pub declined: Option<String>,
    pub created: i64,
}

/// The stored answer for an idempotency key.
pub struct Saved {
    pub path: String,
    pub body: String,
    pub status: u16,
    pub answer: Value,
}

pub struct StripeState {
    pub url: String,
    pub sessions: BTreeMap<String, Session>,
    pub refunds: BTreeMap<String, Refund>,
    pub disputes: BTreeMap<String, Value>,
    /// The oldest first.
    pub events: Vec<Value>,
    pub saved: HashMap<String, Saved>,
    pub faults: Vec<(&'static str, Fault)>,
    pub asked: Vec<String>,
    pub per_second: Option<u32>,
    /// The times of each endpoint's requests in the last second.
    pub recent: HashMap<String, Vec<Instant>>,
    pub webhook_url: Option<String>,
    pub delivery: Delivery,
    /// The account's balance. A refund of more than this fails.
    pub balance: i64,
    /// The first status of a new refund: "succeeded" or "pending".
    pub refund_status: &'static str,
    /// Whether the fee of a payment is known only later.
    pub are_fees_late: bool,
    /// The currency in which Stripe takes its fees. `None`: that of the payment.
    pub account_currency: Option<&'static str>,
    /// How many clients have waited, or still wait, for an answer that does not come.
    pub unanswered: usize,
    count: u32,
}

impl StripeState {
    pub fn new(url: String) -> Self {
        Self {
            url,
            sessions: BTreeMap::new(),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            events: Vec::new(),
            saved: HashMap::new(),
            faults: Vec::new(),
            asked: Vec::new(),
            per_second: None,
            recent: HashMap::new(),
            webhook_url: None,
            delivery: Delivery::Once,
            balance: i64::MAX,
            refund_status: "succeeded",
            are_fees_late: false,
            account_currency: None,
            unanswered: 0,
            count: 0,
        }
    }

    /// A new id. Ids sort in the order of their creation.
    pub fn new_id(&mut self, start: &str) -> String {
        self.count += 1;
        format!("{start}_test_{:08}", self.count)
    }

    /// Whether an endpoint has got too many requests.
    pub fn is_limited(&mut self, endpoint: &str) -> bool {
        let Some(most) = self.per_second else { return false };
        let now = Instant::now();
        let recent = self.recent.entry(endpoint.to_owned()).or_default();
        recent.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
        if recent.len() >= most as usize {
            return true;
        }
        recent.push(now);
        false
    }

    /// Pays; returns the resulting events. No events: the page cannot be paid.
    pub fn pay(&mut self, id: &str) -> Vec<Value> {
        self.expire_by_time(id);
        let Some(session) = self.sessions.get_mut(id).filter(|it| it.status == SessionStatus::Open) else {
            return Vec::new();
        };
        (session.status, session.declined) = (SessionStatus::Paid, None);
        let object = self.session_json(id, false);
        vec![self.event("checkout.session.completed", object)]
    }

    pub fn decline(&mut self, id: &str, code: &str) -> Vec<Value> {
        let Some(session) = self.sessions.get_mut(id).filter(|it| it.status == SessionStatus::Open) else {
            return Vec::new();
        };
        session.declined = Some(code.to_owned());
        let object = self.intent_json(id);
        vec![self.event("payment_intent.payment_failed", object)]
    }

    pub fn expire(&mut self, id: &str) -> Vec<Value> {
        let Some(session) = self.sessions.get_mut(id).filter(|it| it.status == SessionStatus::Open) else {
            return Vec::new();
        };
        session.status = SessionStatus::Expired;
        let object = self.session_json(id, false);
        vec![self.event("checkout.session.expired", object)]
    }

    pub fn expire_by_time(&mut self, id: &str) {
        if self.sessions.get(id).is_some_and(|it| it.expires_at <= Utc::now().timestamp()) {
            self.expire(id);
        }
    }

    pub fn event(&mut self, kind: &str, object: Value) -> Value {
        let event = json!({
            "id": self.new_id("evt"), "object": "event", "type": kind, "created": Utc::now().timestamp(),
            "livemode": false, "api_version": "2026-02-25.clover", "data": { "object": object },
        });
        self.events.push(event.clone());
        event
    }

    fn intent_json(&self, session: &str) -> Value {
        let session = &self.sessions[session];
        let is_paid = session.status == SessionStatus::Paid;
        let error = session
            .declined
            .as_ref()
            .map(|code| json!({ "type": "card_error", "code": "card_declined", "decline_code": code }));
        let transaction = (!self.are_fees_late).then(|| {
            json!({
                "id": "txn_1", "object": "balance_transaction",
                "currency": self.account_currency.unwrap_or(&session.currency), "fee": session.amount * 29 / 1000 + 30,
            })
        });
        let charge = is_paid.then(|| {
            json!({
                "id": format!("ch_{}", session.intent), "object": "charge",
                "refunded": self.returned_of(&session.intent) == session.amount,
                "payment_method_details": { "type": "card", "card": { "brand": "visa", "last4": "4242" } },
                "balance_transaction": transaction,
            })
        });
        json!({
            "id": session.intent, "object": "payment_intent", "amount": session.amount,
            "currency": session.currency, "status": if is_paid { "succeeded" } else { "requires_payment_method" },
            "last_payment_error": error, "latest_charge": charge, "livemode": false,
            "metadata": { "payment": session.payment },
        })
    }

    /// A payment page as the API shows it. `expanded`: with the payment included.
    pub fn session_json(&self, id: &str, expanded: bool) -> Value {
        let session = &self.sessions[id];
        let (status, payment_status) = match session.status {
            SessionStatus::Open => ("open", "unpaid"),
            SessionStatus::Paid => ("complete", "paid"),
            SessionStatus::Expired => ("expired", "unpaid"),
        };
        let is_open = session.status == SessionStatus::Open;
        // Stripe creates the payment only when the buyer tries to pay.
        let has_intent = session.status == SessionStatus::Paid || session.declined.is_some();
        let intent = match (has_intent, expanded) {
            (false, _) => Value::Null,
            (true, false) => json!(session.intent),
            (true, true) => self.intent_json(id),
        };
        json!({
            "id": session.id, "object": "checkout.session", "livemode": false, "mode": "payment",
            "status": status, "payment_status": payment_status, "amount_total": session.amount,
            "currency": session.currency, "client_reference_id": session.reference,
            "expires_at": session.expires_at, "created": session.created, "payment_intent": intent,
            "url": is_open.then(|| format!("{}/c/pay/{}", self.url, session.id)),
        })
    }
}
