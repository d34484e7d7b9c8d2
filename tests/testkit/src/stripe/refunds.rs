//! Refunds and disputes of the fake Stripe.

use serde_json::{Value, json};

use super::state::{SessionStatus, StripeState};

const DISPUTE_FEE: i64 = 1_500;

#[derive(Debug, Clone)]
pub struct Refund {
    pub id: String,
    pub intent: String,
    pub amount: i64,
    pub currency: String,
    pub status: &'static str,
    /// The site's own id of the refund, if the site requested it.
    pub ours: Option<String>,
}

impl Refund {
    pub fn json(&self) -> Value {
        let metadata = self.ours.as_ref().map_or_else(|| json!({}), |ours| json!({ "refund": ours }));
        json!({
            "id": self.id, "object": "refund", "amount": self.amount, "currency": self.currency,
            "status": self.status, "payment_intent": self.intent, "metadata": metadata,
        })
    }
}

impl StripeState {
    pub fn refund_outside(&mut self, session: &str, amount: i64) -> Vec<Value> {
        let session = self.sessions.get(session).expect("a session").clone();
        let id = self.new_id("re");
        let refund = Refund {
            id: id.clone(),
            intent: session.intent.clone(),
            amount,
            currency: session.currency,
            status: "succeeded",
            ours: None,
        };
        self.refunds.insert(id.clone(), refund);
        self.refund_events(&id)
    }

    /// The events that Stripe sends for a new refund.
    pub fn refund_events(&mut self, id: &str) -> Vec<Value> {
        let refund = self.refunds[id].clone();
        let charge = self.charge_json(&refund.intent);
        vec![
            self.event("refund.created", refund.json()),
            self.event("charge.refunded", charge),
            self.event("refund.updated", refund.json()),
        ]
    }

    /// A refund fails: the money goes back to the seller.
    pub fn fail_refund(&mut self, id: &str) -> Vec<Value> {
        let refund = self.refunds.get_mut(id).expect("a refund");
        refund.status = "failed";
        let object = refund.json();
        vec![
            self.event("refund.failed", object.clone()),
            self.event("refund.updated", object.clone()),
            self.event("charge.refund.updated", object),
        ]
    }

    /// The bank decides a dispute: "won" or "lost". If it is won, the account gets the money and the fee back.
    pub fn decide_dispute(&mut self, id: &str, status: &str) -> Vec<Value> {
        let back = self.transaction(-DISPUTE_FEE);
        let dispute = self.disputes.get_mut(id).expect("a dispute");
        dispute["status"] = json!(status);
        if let (Some(transactions), "won") = (dispute["balance_transactions"].as_array_mut(), status) {
            transactions.push(back);
        }
        let object = dispute.clone();
        vec![self.event("charge.dispute.closed", object)]
    }

    pub fn dispute(&mut self, session: &str) -> Vec<Value> {
        let session = self.sessions.get(session).expect("a session").clone();
        let id = self.new_id("dp");
        let taken = self.transaction(DISPUTE_FEE);
        let dispute = json!({
            "id": id, "object": "dispute", "amount": session.amount, "currency": session.currency,
            "status": "needs_response", "reason": "fraudulent", "payment_intent": session.intent,
            "balance_transactions": [taken],
        });
        self.disputes.insert(id, dispute.clone());
        vec![self.event("charge.dispute.created", dispute)]
    }

    /// A balance transaction with Stripe's fee, in the currency of the account.
    fn transaction(&mut self, fee: i64) -> Value {
        let currency = self.account_currency.unwrap_or("usd");
        json!({ "id": self.new_id("txn"), "object": "balance_transaction", "currency": currency, "fee": fee })
    }

    /// The part of a payment that was not refunded.
    pub fn left_of(&self, intent: &str) -> Option<i64> {
        let session = self.sessions.values().find(|it| it.intent == intent)?;
        let back = self.refunds.values().filter(|it| it.intent == intent && it.status != "failed");
        (session.status == SessionStatus::Paid)
            .then(|| session.amount - back.map(|it| it.amount).sum::<i64>())
    }

    /// The part of a payment that was refunded.
    pub fn returned_of(&self, intent: &str) -> i64 {
        let back = self.refunds.values().filter(|it| it.intent == intent && it.status != "failed");
        back.map(|it| it.amount).sum()
    }

    /// A charge as an event shows it. Stripe copies the intent's metadata to its charge.
    fn charge_json(&self, intent: &str) -> Value {
        let session = self.sessions.values().find(|it| it.intent == intent).expect("a session");
        let returned = self.returned_of(intent);
        json!({
            "id": format!("ch_{intent}"), "object": "charge", "payment_intent": intent,
            "amount": session.amount, "amount_refunded": returned, "refunded": returned == session.amount,
            "currency": session.currency, "metadata": { "payment": session.payment },
        })
    }
}
