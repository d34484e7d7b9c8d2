//! The webhooks of the fake Stripe: signed, and delivered in the way that a test sets.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use chrono::Utc;
use serde_json::Value;
use techkraft::payment::signature;

use super::STRIPE_SECRET;
use super::http::post_json;
use super::state::{Delivery, StripeState};

/// How often the fake tries to deliver an event. Stripe tries for three days.
const TRIES: u32 = 20;

/// Sends events in the background, each on its own.
pub fn send(state: &Arc<Mutex<StripeState>>, events: &[Value]) {
    let (url, delivery) = {
        let state = state.lock().expect("a lock");
        (state.webhook_url.clone(), state.delivery)
    };
    let Some(url) = url.filter(|_| delivery != Delivery::Never) else { return };
    for event in events {
        let (url, body) = (url.clone(), event.to_string());
        thread::spawn(move || deliver(&url, &body, delivery));
    }
}

fn deliver(url: &str, body: &str, delivery: Delivery) {
    if let Delivery::Late(wait) = delivery {
        thread::sleep(wait);
    }
    let secret = if delivery == Delivery::Forged { "whsec_somebody_elses" } else { STRIPE_SECRET };
    let times = if delivery == Delivery::Twice { 2 } else { 1 };
    for _ in 0..times {
        for _ in 0..TRIES {
            let header = signature::sign(body.as_bytes(), secret, Utc::now().timestamp());
            match post_json(url, &[("stripe-signature", &header)], body) {
                Some(200..300) => break,
                // A forged event would only be refused again.
                Some(400) if delivery == Delivery::Forged => break,
                _ => thread::sleep(Duration::from_millis(200)),
            }
        }
    }
}
