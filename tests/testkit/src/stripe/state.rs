//! What the fake Stripe knows, and what changes it.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Value, json};

use super::returns::Refund;

/// How webhooks are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Once,
    Twice,
    Never,
    Late(Duration),
    /// With another secret.
    Forged,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and nothing said.
    HangUp,
    /// The same, and the client waits for it.
    Hang,
    /// Nothing is done, and this is said.
    Status(u16),
    /// It is done, and said after a while.
    Late(Duration),
    /// It is done, and the connection ends before anything is said.
    LoseAnswer,
    /// It is done, and the client waits for an answer that does not come.
    Mute,
    /// Nothing is done, 500 is said, and is said again to the same key.
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
    /// What the site calls it.
    pub payment: String,
    pub expires_at: i64,
    pub success_url: String,
    pub cancel_url: String,
    /// Why the bank said no the last time.
    pub declined: Option<String>,
    pub created: i64,
}

/// The answer to a key.
pub struct Saved {
    pub path: String,
    pub body: String,
    pub status: u16,
    pub answer: Value,
}

pub struct State {
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
    /// When each endpoint was asked in the last second.
    pub recent: HashMap<String, Vec<Instant>>,
    pub webhook_url: Option<String>,
    pub delivery: Delivery,
    /// Refunds of so much fail, because the account has too little.
    pub balance: i64,
    /// What a new refund is at first: "succeeded" or "pending".
    pub refund_status: &'static str,
    /// The fee of a payment is not known yet.
    pub are_fees_late: bool,
    /// The currency in which it takes its fees. `None`: that of the payment.
    pub account_currency: Option<&'static str>,
    /// Clients that wait, or have waited, for an answer that does not come.
    pub unanswered: usize,
    count: u32,
}

impl State {
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

    /// A new id: they sort in the order in which they were given.
    pub fn new_id(&mut self, start: &str) -> String {
        self.count += 1;
        format!("{start}_test_{:08}", self.count)
    }

    /// Whether an endpoint has been asked too often.
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

    /// The events that come of it; none: it cannot be paid on.
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

    /// As the API shows it. `expanded`: with the payment in it.
    pub fn session_json(&self, id: &str, expanded: bool) -> Value {
        let session = &self.sessions[id];
        let (status, payment_status) = match session.status {
            SessionStatus::Open => ("open", "unpaid"),
            SessionStatus::Paid => ("complete", "paid"),
            SessionStatus::Expired => ("expired", "unpaid"),
        };
        let is_open = session.status == SessionStatus::Open;
        // Stripe makes the payment when the buyer tries to pay.
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
