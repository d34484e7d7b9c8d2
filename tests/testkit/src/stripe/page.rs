//! The payment page, with the actions that tests use: pay, be declined, authenticate, leave.

use serde_json::Value;

use super::http::{Reply, Request};
use super::state::{SessionStatus, StripeState};

pub fn answer(state: &mut StripeState, request: &Request) -> (Reply, Vec<Value>) {
    let id = request.path.trim_start_matches("/c/pay/").to_owned();
    let Some(session) = state.sessions.get(&id).cloned() else {
        return (Reply { status: 404, headers: Vec::new(), body: String::new() }, Vec::new());
    };
    if request.method == "GET" {
        let notice = session.declined.map(|code| format!("Your card was declined: {code}."));
        return (page(&id, session.status, &notice.unwrap_or_default(), false), Vec::new());
    }
    match request.field("action").as_deref() {
        Some("pay" | "authenticated") => {
            let events = state.pay(&id);
            let is_paid = !events.is_empty();
            let reply = if is_paid { Reply::see_other(&session.success_url) } else { closed() };
            (reply, events)
        }
        Some("decline") => {
            let events = state.decline(&id, "insufficient_funds");
            (page(&id, session.status, "Your card was declined: insufficient_funds.", false), events)
        }
        Some("3ds") => (page(&id, session.status, "Your bank asks who you are.", true), Vec::new()),
        _ => (Reply::see_other(&session.cancel_url), Vec::new()),
    }
}

fn page(id: &str, status: SessionStatus, notice: &str, asks: bool) -> Reply {
    if status != SessionStatus::Open {
        return closed();
    }
    let button =
        |action: &str, label: &str| format!("<button name=\"action\" value=\"{action}\">{label}</button>");
    let buttons = if asks {
        button("authenticated", "Complete authentication")
    } else {
        [("pay", "Pay"), ("decline", "Decline"), ("3ds", "3-D Secure"), ("leave", "Leave")]
            .map(|(action, label)| button(action, label))
            .concat()
    };
    Reply::page(format!(
        "<!doctype html><title>Fake Stripe</title><p role=\"status\">{notice}</p>\
         <form method=\"post\" action=\"/c/pay/{id}\">{buttons}</form>"
    ))
}

fn closed() -> Reply {
    Reply::page("<!doctype html><title>Fake Stripe</title><p>This page is closed.</p>".to_owned())
}
