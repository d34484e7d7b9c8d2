//! The API of the fake Stripe. Its idempotency is like Stripe's: a key gets the same answer again, even a refusal,
//! and 400 for another body. A request that was refused before its execution began is not remembered.

use chrono::Utc;
use serde_json::{Value, json};

use super::http::{Reply, Request, decode_form};
use super::refunds::Refund;
use super::state::{Saved, Session, SessionStatus, StripeState};
use super::{STRIPE_KEY, STRIPE_LIVE_KEY};

/// Refusals that come after the parameters were found valid.
const REFUSED_IN_EXECUTION: [&str; 4] =
    ["amount_too_large", "amount_too_small", "balance_insufficient", "charge_already_refunded"];

type Answered = (u16, Value, Vec<Value>);

/// The shortest lifetime of a payment page that Stripe accepts.
const SESSION_SECONDS_MIN: i64 = 30 * 60;
const SESSION_SECONDS_MAX: i64 = 24 * 3600;

pub fn answer(state: &mut StripeState, request: &Request) -> (Reply, Vec<Value>) {
    let is_key = |key: &str| request.header("authorization") == Some(&format!("Bearer {key}"));
    if !is_key(STRIPE_KEY) && !is_key(STRIPE_LIVE_KEY) {
        let refusal = error("invalid_request_error", None, None, "Invalid API Key provided");
        return (Reply::json(401, &refusal), Vec::new());
    }
    if state.is_limited(&endpoint(request)) {
        let refusal = error("invalid_request_error", Some("rate_limit"), None, "Too many requests");
        return (Reply::json(429, &refusal), Vec::new());
    }
    let key = request.header("idempotency-key").filter(|_| request.method == "POST");
    let Some(key) = key else {
        let (status, answer, events) = act(state, request);
        return (Reply::json(status, &answer), events);
    };
    if let Some(saved) = state.saved.get(key) {
        if saved.path != request.path || saved.body != request.body {
            let words = "Keys for idempotent requests can only be used with the same parameters";
            return (Reply::json(400, &error("idempotency_error", None, None, words)), Vec::new());
        }
        let mut reply = Reply::json(saved.status, &saved.answer);
        reply.headers.push(("idempotent-replayed", "true".into()));
        return (reply, Vec::new());
    }
    let (status, answer, events) = act(state, request);
    // A request whose execution did not begin is not remembered.
    let code = answer["error"]["code"].as_str();
    if status != 400 || code.is_some_and(|code| REFUSED_IN_EXECUTION.contains(&code)) {
        let saved =
            Saved { path: request.path.clone(), body: request.body.clone(), status, answer: answer.clone() };
        state.saved.insert(key.to_owned(), saved);
    }
    (Reply::json(status, &answer), events)
}

/// Fails, and remembers the failure for the key.
pub fn be_stuck(state: &mut StripeState, request: &Request) -> Reply {
    let answer = error("api_error", None, None, "Something is wrong at Stripe");
    let mut reply = Reply::json(500, &answer);
    if let Some(key) = request.header("idempotency-key") {
        let saved = Saved { path: request.path.clone(), body: request.body.clone(), status: 500, answer };
        if state.saved.insert(key.to_owned(), saved).is_some() {
            reply.headers.push(("idempotent-replayed", "true".into()));
        }
    }
    reply
}

/// The endpoint that a limit counts: paths that differ only in an id are the same endpoint.
fn endpoint(request: &Request) -> String {
    let parts = request.path.split('/').filter(|part| !part.contains("_test_"));
    format!("{} {}", request.method, parts.collect::<Vec<_>>().join("/"))
}

fn act(state: &mut StripeState, request: &Request) -> Answered {
    let parts: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    match (request.method.as_str(), parts.as_slice()) {
        ("POST", ["v1", "checkout", "sessions"]) => create_session(state, request),
        ("GET", ["v1", "checkout", "sessions", id]) if state.sessions.contains_key(*id) => {
            state.expire_by_time(id);
            let is_expanded = request.query.iter().any(|(name, _)| name.starts_with("expand"));
            (200, state.session_json(id, is_expanded), Vec::new())
        }
        ("POST", ["v1", "checkout", "sessions", id, "expire"]) if state.sessions.contains_key(*id) => {
            state.expire_by_time(id);
            let events = state.expire(id);
            if events.is_empty() {
                let words = "Only Checkout Sessions with a status in [\"open\"] can be expired.";
                return (400, error("invalid_request_error", None, None, words), events);
            }
            (200, state.session_json(id, false), events)
        }
        ("POST", ["v1", "refunds"]) => create_refund(state, request),
        ("GET", ["v1", "refunds"]) => {
            let intent = request.parameter("payment_intent");
            let own =
                state.refunds.values().rev().filter(|it| intent.is_none_or(|intent| it.intent == intent));
            let data: Vec<Value> = own.map(Refund::json).collect();
            (
                200,
                json!({ "object": "list", "url": "/v1/refunds", "has_more": false, "data": data }),
                Vec::new(),
            )
        }
        ("GET", ["v1", "refunds", id]) if state.refunds.contains_key(*id) => {
            (200, state.refunds[*id].json(), Vec::new())
        }
        ("GET", ["v1", "disputes", id]) if state.disputes.contains_key(*id) => {
            (200, state.disputes[*id].clone(), Vec::new())
        }
        ("GET", ["v1", "events"]) => (200, events(state, request), Vec::new()),
        _ => (
            404,
            error("invalid_request_error", Some("resource_missing"), None, "No such object"),
            Vec::new(),
        ),
    }
}

fn create_session(state: &mut StripeState, request: &Request) -> Answered {
    let refuse = |code: Option<&str>, param: &str| {
        (400, error("invalid_request_error", code, Some(param), "This is wrong"), Vec::new())
    };
    let now = Utc::now().timestamp();
    let field = |name: &str| request.field(name).unwrap_or_default();
    if field("mode") != "payment" {
        return refuse(None, "mode");
    }
    let expires_at: i64 = field("expires_at").parse().unwrap_or(now + SESSION_SECONDS_MAX);
    if !(SESSION_SECONDS_MIN..=SESSION_SECONDS_MAX).contains(&(expires_at - now)) {
        return refuse(None, "expires_at");
    }
    if field("customer_email").contains("refused") {
        return refuse(Some("email_invalid"), "customer_email");
    }
    let fields = decode_form(&request.body);
    let ending = |end: &str| -> Vec<String> {
        let own = fields.iter().filter(|(name, _)| name.starts_with("line_items[") && name.ends_with(end));
        own.map(|(_, value)| value.clone()).collect()
    };
    let numbers = |end: &str| -> Vec<i64> { ending(end).iter().map(|it| it.parse().unwrap_or(-1)).collect() };
    let (quantities, amounts) = (numbers("[quantity]"), numbers("[unit_amount]"));
    let currency = ending("[currency]").first().cloned().unwrap_or_default();
    if quantities.is_empty()
        || quantities.len() != amounts.len()
        || quantities.iter().chain(&amounts).any(|it| *it < 0)
    {
        return refuse(Some("parameter_missing"), "line_items");
    }
    let amount: i64 = quantities.iter().zip(&amounts).map(|(quantity, amount)| quantity * amount).sum();
    if amount < 50 {
        return refuse(Some("amount_too_small"), "line_items");
    }
    let (id, intent) = (state.new_id("cs"), state.new_id("pi"));
    let session = Session {
        id: id.clone(),
        intent,
        status: SessionStatus::Open,
        amount,
        currency,
        reference: field("client_reference_id"),
        payment: field("payment_intent_data[metadata][payment]"),
        expires_at,
        success_url: field("success_url"),
        cancel_url: field("cancel_url"),
        declined: None,
        created: now,
    };
    state.sessions.insert(id.clone(), session);
    (200, state.session_json(&id, false), Vec::new())
}

fn create_refund(state: &mut StripeState, request: &Request) -> Answered {
    let intent = request.field("payment_intent").unwrap_or_default();
    let Some(left) = state.left_of(&intent) else {
        let refusal = error(
            "invalid_request_error",
            Some("resource_missing"),
            Some("payment_intent"),
            "No such payment",
        );
        return (404, refusal, Vec::new());
    };
    let amount = request.field("amount").and_then(|amount| amount.parse().ok()).unwrap_or(left);
    if amount > left || amount <= 0 {
        let code = if left == 0 { "charge_already_refunded" } else { "amount_too_large" };
        return (400, error("invalid_request_error", Some(code), Some("amount"), "Too much"), Vec::new());
    }
    if amount > state.balance {
        let refusal =
            error("invalid_request_error", Some("balance_insufficient"), None, "Insufficient funds");
        return (400, refusal, Vec::new());
    }
    let session = state.sessions.values().find(|it| it.intent == intent);
    let currency = session.map(|it| it.currency.clone()).unwrap_or_default();
    let id = state.new_id("re");
    let ours = request.field("metadata[refund]");
    let refund = Refund {
        id: id.clone(),
        intent: intent.clone(),
        amount,
        currency,
        status: state.refund_status,
        ours,
    };
    let answer = refund.json();
    state.refunds.insert(id.clone(), refund);
    let events = state.refund_events(&id);
    (200, answer, events)
}

/// The events since a time, after an id, the newest first.
fn events(state: &StripeState, request: &Request) -> Value {
    let since: i64 = request.parameter("created[gte]").and_then(|since| since.parse().ok()).unwrap_or(0);
    let limit = request.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10);
    let newest = state.events.iter().rev().filter(|event| event["created"].as_i64() >= Some(since));
    let kinds: Vec<&str> = request
        .query
        .iter()
        .filter(|(name, _)| name.starts_with("types["))
        .map(|(_, kind)| &**kind)
        .collect();
    let is_asked_for = |event: &&Value| kinds.is_empty() || kinds.iter().any(|kind| event["type"] == **kind);
    let mut newest: Vec<&Value> = newest.filter(is_asked_for).collect();
    if let Some(after) = request.parameter("starting_after") {
        let at = newest.iter().position(|event| event["id"] == after).map_or(newest.len(), |at| at + 1);
        newest.drain(..at);
    }
    let has_more = newest.len() > limit;
    newest.truncate(limit);
    json!({ "object": "list", "url": "/v1/events", "has_more": has_more, "data": newest })
}

fn error(kind: &str, code: Option<&str>, param: Option<&str>, message: &str) -> Value {
    json!({ "error": { "type": kind, "code": code, "param": param, "message": message } })
}
